"""Finished runs as a sweep leaves them in MLflow, their tables made up: nothing is trained and nothing is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.entities import Param, RunTag

from src.comparison.build import compare_runs
from src.comparison.select import find_runs
from src.config import TrackingConfig
from src.config.commands import CompareConfig
from src.figures.report import Comparison
from src.measure.layer_diagrams import LayerDiagram
from src.metrics.files import write_table
from src.metrics.table import COLUMNS, MEAN
from src.rundir import ROOT, RunDirectory
from src.tracking.store import open_store

PULLS = {"helpful": 1.0, "harmless": 2.0, "mixed": 4.0}
"""By objective; see `Planted`."""
FEW = {"steps": (0, 1, 4), "layers": 1, "halves": 2}
"""For a run of which little is read."""

STEPS = (0, 1, 2, 4, 8, 16, *range(30, 121, 15))
BY_DIMENSION = {"excess": 1.0, "excess_p": 0.4, "independent_excess": 0.7, "step_noise": 0.05, "below_floor": 0.0}
SHAPES = [f"shape/{name}" for name in ("max_persistence", "mean_birth", "mean_death", "mean_persistence")]
SUMMARIES = [f"topology/{name}" for name in ("n_bars", "total_persistence", "entropy", "betti_max", "mean_death")]
GEOMETRY = {"scale": 9.0, "cka_to_base": 0.99, "effective_rank": 30.0, "anisotropy": 0.2, "rigid_share": 0.9}


@dataclass(frozen=True)
class Planted:
    """One run: where it stands in the grid, and how it differs from others."""

    model: str = "tiny"
    objective: str = "helpful"
    seed: int = 0
    pull: float = 1.0
    """what velocity and drift are multiplied by"""
    steps: Sequence[int] = STEPS
    layers: int = 3
    halves: int = 4
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    status: str = "FINISHED"
    local: bool = True
    """whether its directory is on this machine, or only what MLflow was given"""

    @property
    def stage(self) -> str:
        return "instruct" if self.model.endswith("_instruct") else "pretrained"

    @property
    def twin(self) -> str:
        return self.model.removesuffix("_instruct") if self.stage == "instruct" else f"{self.model}_instruct"

    @property
    def path(self) -> Path:
        return ROOT / self.model / self.objective / "vietoris_rips" / f"seed{self.seed}"


def plant_table(run: Planted) -> pd.DataFrame:
    """The long table of a run, all its families of rows in their usual numbers."""
    rng = np.random.default_rng([run.seed, *run.model.encode(), *run.objective.encode()])
    steps, layers = np.array(run.steps), [f"layer_{n:02d}" for n in range(1, run.layers + 1)] + [MEAN]
    speed = run.pull * (0.02 + 0.05 * np.exp(-(((steps - 20) / 15) ** 2)))
    travelled = run.pull * np.sqrt(steps / max(steps[-1], 1))
    parts = []

    def add(quantity: str, course: np.ndarray, dims: Sequence[int], halves: int = 0, pairs: int = 0) -> None:
        """Rows of a quantity: on all probes, with bounds where there are halves, on each half, and of each pair."""
        for samples, lags in (([-1], [0]), (range(halves), [0]), ([-1], range(1, pairs + 1))):
            index = pd.MultiIndex.from_product(
                [range(len(steps)), layers, dims, samples, lags], names=["at", "layer", "dimension", "sample", "lag"]
            )
            part = index.to_frame(index=False)
            value = course[part["at"]] * np.exp(0.05 * rng.normal(size=len(part)))
            step, whole = steps[part["at"]], bool(halves) and samples == [-1] and lags == [0]
            parts.append(part[["layer", "dimension", "sample"]].assign(
                step=step, pair_step=np.where(part.lag > 0, step + part.lag, -1), quantity=quantity, value=value,
                low=value / 1.2 if whole else np.nan, high=value * 1.2 if whole else np.nan,
            ))  # fmt: skip

    for name in ("velocity", "null_velocity", "independent_velocity"):
        add(name, speed, (0, 1), run.halves, 2 if name == "velocity" else 0)
    add("naive_velocity", speed / np.sqrt(1 + steps), (0, 1), run.halves)
    add("drift", travelled, (0, 1), run.halves)
    for name in ("displacement", "distance_change"):
        add(name, speed / 10, (-1,), run.halves, 2)
    flat = np.ones(len(steps))
    for name, level in BY_DIMENSION.items():
        add(name, level * flat, (0, 1))
    for name in (*SHAPES, *SUMMARIES):
        add(name, 5 * flat, (0, 1))
    for name, level in GEOMETRY.items():
        add(name, level * flat, (-1,))
    parts.append(_against_base(run, layers))
    parts.append(_behavior(run, rng))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _against_base(run: Planted, layers: Sequence[str]) -> pd.DataFrame:
    """The paired test of step 0 against the last step, certain in every layer."""
    blank = {"pair_step": -1, "dimension": -1, "sample": -1, "low": np.nan, "high": np.nan}
    levels = {"base_displacement": 0.2, "base_p": 0.001, "floor/base_displacement": 0.001}
    rows = [
        {"step": run.steps[-1], "layer": layer, "quantity": name, "value": level}
        for layer in layers for name, level in levels.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**blank)


def _behavior(run: Planted, rng: np.random.Generator) -> pd.DataFrame:
    every = np.arange(run.steps[-1] + 3)
    courses = {
        "learning_rate": (every, 1e-3 * np.minimum(1, (every + 1) / 10)),
        "train_loss": (every, 3 + np.exp(-every / 30)),
        "eval_loss_helpful": (np.array(run.steps), 3 + np.exp(-np.array(run.steps) / 30)),
        "eval_loss_harmless": (np.array(run.steps), 4 + np.exp(-np.array(run.steps) / 60)),
    }
    rows = [
        pd.DataFrame(
            {"step": at, "quantity": name, "value": values * (1 + ("loss" in name) * 0.01 * rng.normal(size=len(at)))}
        )
        for name, (at, values) in courses.items()
    ]
    blank = {"pair_step": -1, "layer": "", "dimension": -1, "sample": -1, "low": np.nan, "high": np.nan}
    return pd.concat(rows).assign(**blank)


def plant_diagrams(run: Planted, folder: RunDirectory, bars: int = 20) -> None:
    """A file of diagrams at each step."""
    rng = np.random.default_rng(run.seed)
    for step in run.steps:
        arrays: dict[str, np.ndarray] = {}
        for n in range(1, run.layers + 1):
            births = 0.3 + 0.4 * rng.random(bars)
            loops = np.column_stack([births, births + 0.1 * rng.random(bars), np.ones(bars)])
            parts = np.column_stack([np.zeros(bars), rng.random(bars), np.zeros(bars)])
            shape = LayerDiagram(np.concatenate([parts, loops]), scale=1.0)
            arrays |= {f"layer_{n:02d}.{name}": value for name, value in vars(shape).items()}
        folder.step(step).mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder.diagrams(step), **arrays)


def plant_run(run: Planted, *, sweep: str = "first", table: pd.DataFrame | None = None, bars: int = 20) -> str:
    """Put a run into the store under the current directory; returns its id.

    Args:
        run: what it is.
        sweep: the tag.
        table: in place of the usual one.
        bars: of each dimension in its diagrams; 0 for none.
    """
    store = open_store(TrackingConfig())
    client, experiment = store.client, store.experiment
    tags = {
        "kind": "cell", "model": run.model, "stage": run.stage, "objective": run.objective, "tda": "vietoris_rips",
        "seed": str(run.seed), "sweep": sweep, "probe_hash": "5eed" * 16, **run.tags,
    }  # fmt: skip
    params = {"model.twin": run.twin, "tda.metric": "euclidean", "schedule.lag": "1", "trainer.max_steps": "123"}
    run_id: str = client.create_run(experiment, tags=tags).info.run_id
    client.log_batch(
        run_id, params=[Param(*pair) for pair in (params | dict(run.params)).items()], tags=[RunTag("planted", "true")]
    )  # fmt: skip
    folder = RunDirectory(run.path if run.local else Path(f"elsewhere/{run_id}"))
    folder.path.mkdir(parents=True)
    write_table(folder, plant_table(run) if table is None else table)
    if bars:
        plant_diagrams(run, folder, bars)
    if run.local:
        folder.mlflow_run_id.write_text(run_id)
        folder.write_status("done" if run.status == "FINISHED" else "failed", reason="OutOfMemoryError: no memory left")
    else:
        client.log_artifact(run_id, str(folder.table))
        for step in run.steps if bars else ():
            client.log_artifact(run_id, str(folder.diagrams(step)), f"diagrams/{folder.step(step).name}")
    client.set_terminated(run_id, run.status)
    return run_id


def plant_sweep() -> None:
    """Twins x three objectives x three seeds; one failed, one is missing, the mixed ones are only in MLflow."""
    for model, objective, seed in product(("tiny", "tiny_instruct"), PULLS, range(3)):
        pull = PULLS[objective] * (1 if model == "tiny" else 1.5)
        run = Planted(model, objective, seed, pull, local=objective != "mixed")
        if (model, objective, seed) == ("tiny", "harmless", 2):
            run = replace(run, status="FAILED")
        if (model, objective, seed) != ("tiny_instruct", "mixed", 1):
            plant_run(run, bars=0 if seed else 20)


def compare(**request: object) -> Comparison:
    """What `python -m src.compare` makes of the runs in the store under the current directory."""
    store, config = open_store(TrackingConfig()), CompareConfig(**request)  # type: ignore[arg-type]
    return compare_runs(store, config, find_runs(store, config))
