"""What tests measure: composed configurations, and clouds whose truth is written down."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig

from src.clouds.store import write_clouds
from src.config import Config, TdaConfig
from src.config.resolve import complete_config, resolve_config
from src.rundir import RunDirectory
from src.rundir.naming import directory_of_run

from .processes import ROOT

CONF = ROOT / "conf"

# Configurations.


def composed(*overrides: str) -> DictConfig:
    """A configuration of one's own, composed once for all who ask for the same."""
    return deepcopy(_composed(overrides))


@cache
def _composed(overrides: tuple[str, ...]) -> DictConfig:
    ConfigStore.instance().store(name="config_schema", node=Config)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def directory(*overrides: str) -> Path:
    """Where the run of a configuration lives."""
    chosen = [word for word in overrides if word.startswith(("model=", "objective=", "tda="))]
    return directory_of_run(resolve_config(composed(*overrides)), complete_config(composed(*chosen))).path


def method_of(name: str, *overrides: str) -> TdaConfig:
    return resolve_config(composed(f"tda={name}", *overrides)).tda


RIPS = TdaConfig(
    name="vietoris_rips",
    transformer={
        "_target_": "gtda.homology.VietorisRipsPersistence", "metric": "precomputed", "homology_dimensions": [0, 1],
    },
)  # fmt: skip

# Clouds.


def circle(n: int = 100, width: int = 2, noise: float = 0.05, seed: int = 0, *, even: bool = True) -> np.ndarray:
    """(n, width) points of a noisy circle, evenly spaced or at random, turned into `width` dimensions."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * np.arange(n) / n if even else np.sort(rng.uniform(0, 2 * np.pi, n))
    plane = np.column_stack([np.cos(angle), np.sin(angle)])
    if width > 2:
        plane = plane @ np.linalg.qr(rng.normal(size=(width, 2)))[0].T
    return plane + noise * rng.normal(size=(n, width))


def activation_like(rng: np.random.Generator, n: int) -> np.ndarray:
    """A few clusters, variances that fall off, one massive coordinate: what a residual stream looks like."""
    x = rng.normal(size=(n, 64)) * np.arange(1, 65) ** -0.7 + rng.normal(size=(4, 64))[rng.integers(0, 4, n)]
    x[:, 3] += 100
    return x


def plant_clouds(folder: Path, **clouds: np.ndarray) -> RunDirectory:
    """A run directory with a two-layer cloud per step: `s0=..., s1=...`."""
    run = RunDirectory(folder)
    for name, cloud in clouds.items():
        step = int(name[1:])
        write_clouds(run.clouds(step), {"layer_01": cloud, "layer_02": 2 * cloud}, step=step, probe_hash="x")
    return run
