"""The names of what a run directory holds, how files get there whole, and what an earlier start left.

multirun/<model>/<objective>/<tda>/seed<k>[-<hash of what else was overridden>]/
    config.yaml  status.json  run.log  metrics.jsonl  mlflow_run_id  topology.parquet  figures/
    step_000012/  adapter/  clouds.safetensors  diagrams.npz  diagrams.png  metrics.json
        step_000000/  floor.safetensors
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from .config import Config, RequestError
from .resolve import hash_values, identity, plain

ROOT = Path("multirun")
"""Everything generated lies here, below the directory that the command was started in."""


@dataclass(frozen=True)
class RunDirectory:
    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def log(self) -> Path:
        return self.path / "run.log"

    @property
    def spool(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def mlflow_run_id(self) -> Path:
        return self.path / "mlflow_run_id"

    @property
    def table(self) -> Path:
        return self.path / "topology.parquet"

    def step(self, step: int) -> Path:
        return self.path / f"step_{step:06d}"

    def adapter(self, step: int) -> Path:
        return self.step(step) / "adapter"

    def clouds(self, step: int) -> Path:
        return self.step(step) / "clouds.safetensors"

    def floor_clouds(self) -> Path:
        """Step 0 captured once more with another batch composition."""
        return self.step(0) / "floor.safetensors"

    def diagrams(self, step: int) -> Path:
        return self.step(step) / "diagrams.npz"

    def layer_diagram(self, step: int, layer: str) -> Path:
        """One layer's part of `diagrams`, until all are there."""
        return self.step(step) / ".layers" / f"{layer}.npz"

    def picture(self, step: int) -> Path:
        """Persistence diagrams and barcodes of the step."""
        return self.step(step) / "diagrams.png"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    def metrics(self, step: int) -> Path:
        return self.step(step) / "metrics.json"

    def read_status(self) -> dict[str, Any]:
        """What the last start wrote; empty if there was none or it never came that far."""
        return json.loads(self.status.read_text()) if self.status.exists() else {}

    def write_status(self, state: str, **facts: Any) -> None:
        """`state`: running, done or failed. Written last, so that `done` means that all else is there."""
        with replacing(self.status) as partial:
            partial.write_text(json.dumps({"state": state, **facts}, indent=1))


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to that takes `target`'s place when the block ends well, so that no half-written file stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two workers that make the same file apart; the suffix stays last, writers look at it.
    partial = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def place_run(config: Config, unchanged: Config) -> RunDirectory:
    """The one home of a configuration.

    `unchanged` is the same model, objective and method with nothing else overridden.
    """
    usual = identity(unchanged) | {"seed": config.seed}
    changed = {key: value for key, value in identity(config).items() if usual.get(key) != value}
    # A key that only the defaults have was removed: that is a change too.
    changed |= dict.fromkeys(usual.keys() - identity(config).keys())
    leaf = f"seed{config.seed}" + (f"-{hash_values(changed)[:8]}" if changed else "")
    return RunDirectory(ROOT / config.model.name / config.objective.name / config.tda.name / leaf)


def place_analysis(source: RunDirectory, config: Config) -> RunDirectory:
    """The home of an analysis: beside the clouds that it reads, one for each method and its settings."""
    settings = {key: value for key, value in identity(config).items() if key.startswith("tda.")}
    return RunDirectory(source.path / "analysis" / f"{config.tda.name}-{hash_values(settings)[:8]}")


def load_config(run: RunDirectory) -> Config:
    """The configuration that a run was made with."""
    stored = OmegaConf.merge(OmegaConf.structured(Config), OmegaConf.load(run.config))
    return OmegaConf.to_object(stored)  # type: ignore[return-value]


def run_name(config: Config) -> str:
    """What a run is called where people read it."""
    return f"{config.model.name} {config.objective.name} {config.tda.name} seed{config.seed}"


def config_hash(config: Config) -> str:
    return hash_values(identity(config))


def check_earlier_start(run: RunDirectory, config: Config) -> bool:
    """Whether this very configuration is done already.

    Raises:
        RequestError: if the directory holds another configuration, with the keys that differ.
    """
    if config.force or not run.config.exists():
        return False
    ours, theirs = identity(config), identity(load_config(run))
    differing = [
        f"  {key}: {theirs.get(key)} there, {ours.get(key)} now"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]
    if differing:
        raise RequestError(
            f"{run.path} holds a run of another configuration:\n" + "\n".join(differing) + "\n"
            "force=true starts over there; moving the directory away keeps it"
        )
    return run.read_status().get("state") == "done"


def start_over(run: RunDirectory, config: Config) -> str | None:
    """Empty the directory and write the configuration; returns the MLflow run id of the start that it replaces."""
    earlier = run.mlflow_run_id.read_text().strip() if run.mlflow_run_id.exists() else None
    if run.path.exists():
        shutil.rmtree(run.path)
    with replacing(run.config) as partial:
        OmegaConf.save(OmegaConf.create(plain(config)), partial)
    run.write_status("running", config_hash=config_hash(config))
    return earlier
