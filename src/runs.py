"""Stored runs: which ones a request means, and what they measured. No torch, no training."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .config import RequestError
from .figures.diagrams import MOST_STEPS, choose_steps
from .findings import Tracked
from .measure.shapes import Shape, read_shapes
from .measure.table import COLUMNS, MEAN
from .options import CompareConfig
from .rundir import ROOT, RunDirectory, also_in
from .store import Store, fetch_artifact, read_run, search_runs

if TYPE_CHECKING:
    from mlflow.entities import Run

CELLS = "tags.kind = 'cell'"
TABLE = "topology.parquet"
BY_LAYER = ("excess", "excess_p", "scale")
"""What findings and figures across runs take from single layers; all else they take from the mean over them."""
RUN_COLUMNS = ("run", "model", "stage", "objective", "seed", "tda")


@dataclass(frozen=True)
class StoredRun:
    """A run as MLflow knows it and, where it lies on this machine, its directory."""

    id: str
    status: str
    """MLflow's: FINISHED, FAILED, KILLED, RUNNING"""
    tags: dict[str, str]
    params: dict[str, str]
    directory: RunDirectory | None

    @property
    def name(self) -> str:
        return f"{self.cell[0]} {self.cell[1]} seed{self.cell[2]}"

    @property
    def cell(self) -> tuple[str, str, int]:
        """Model, objective, seed."""
        return self.tags.get("model", "?"), self.tags.get("objective", "?"), int(self.tags.get("seed", 0))

    @property
    def twin(self) -> str | None:
        twin = self.params.get("model.twin", "None")
        return None if twin == "None" else twin

    @property
    def done(self) -> bool:
        return self.status == "FINISHED"

    @property
    def reason(self) -> str:
        """Why it is not done."""
        said = self.directory.read_status().get("reason") if self.directory else None
        if self.status == "RUNNING":
            said = "still at work, or killed without a word: then python -m src.sync ends it"
        return f"{self.status.lower()}: {said}" if said else self.status.lower()


def find_runs(store: Store, request: CompareConfig) -> list[StoredRun]:
    """The runs that a sweep, a list or a filter means, finished or not, oldest first; no comparison is among them.

    Raises:
        RequestError: if there is none, or one that is named does not exist.
    """
    if request.runs:
        found = [_find_one(store, wanted) for wanted in dict.fromkeys(request.runs)]
    else:
        found = search_runs(store, request.filter or f"{CELLS} and tags.sweep = {_quote(request.sweep or '')}")
        if request.sweep and "`" not in request.sweep:  # those that were done before that sweep began
            found += search_runs(store, f"{CELLS} and tags.`{also_in(request.sweep)}` = 'true'")
        found = [run for run in found if run.data.tags.get("kind") != "comparison"]
    if not found and request.sweep:
        known = sorted({run.data.tags["sweep"] for run in search_runs(store, CELLS) if "sweep" in run.data.tags})
        raise RequestError(f"sweep={request.sweep}: no run of that sweep; there are: {', '.join(known) or 'none yet'}")
    if not found:
        raise RequestError(f"filter={request.filter}: finds no run in {store[0].tracking_uri}")
    return _locate(found)


def with_source(store: Store, runs: Sequence[StoredRun]) -> list[StoredRun]:
    """The one run that some analyses measured again, if it can be had, then the finished analyses.

    Raises:
        RequestError: if they have several sources, or none of them is finished.
    """
    sources = sorted({run.tags["source_run"] for run in runs if "source_run" in run.tags})
    if len(sources) > 1:
        raise RequestError(
            f"these are analyses of {len(sources)} runs: choose one by filter=\"tags.source_run = '{sources[0]}'\""
        )
    source = read_run(store, sources[0])
    done = [run for run in runs if run.done and run.tags.get("kind") == "analysis"]
    if not done:
        raise RequestError(f"tags.source_run = '{sources[0]}': none of its analyses is finished")
    return (_locate([source]) if source else []) + done


def _locate(runs: Sequence[Run]) -> list[StoredRun]:
    """The runs with their directories, where these are on this machine."""
    there = {path.read_text().strip(): RunDirectory(path.parent) for path in sorted(ROOT.rglob("mlflow_run_id"))}
    return [
        StoredRun(run.info.run_id, run.info.status, run.data.tags, run.data.params, there.get(run.info.run_id))
        for run in runs
    ]


def _quote(value: str) -> str:
    if "'" in value and '"' in value:
        raise RequestError(f"sweep={value}: MLflow cannot search for both kinds of quotation marks in one name")
    return f'"{value}"' if "'" in value else f"'{value}'"


def _find_one(store: Store, wanted: str) -> Run:
    """The run of a directory, or with an id."""
    noted = RunDirectory(Path(wanted).expanduser()).mlflow_run_id
    run = read_run(store, noted.read_text().strip() if noted.is_file() else wanted)
    if run is None:
        what = "MLflow does not know it yet: python -m src.sync" if noted.parent.is_dir() else "no run directory, no id"
        raise RequestError(f"runs=[{wanted}]: {what} (store: {store[0].tracking_uri})")
    return run


def read_table(store: Store, run: StoredRun) -> pd.DataFrame:
    """The run's `topology.parquet`.

    Raises:
        RequestError: if it cannot be had, or another version wrote it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = _fetch(store, run, TABLE, folder)
        if path is None:
            raise RequestError(f"{run.name}: its {TABLE} is neither on this machine nor in MLflow (run {run.id})")
        table = pd.read_parquet(path)
    differing = [f"no column {name}" for name in COLUMNS if name not in table]
    differing += [f"unknown column {name}" for name in table if name not in COLUMNS]
    if differing:
        raise RequestError(
            f"{run.name}: another version wrote its {TABLE} ({', '.join(differing)}); measure its clouds again, "
            f"python -m src.analyze run={run.id}, or make the run again with force=true"
        )
    return table


def track_stored(store: Store, run: StoredRun) -> Tracked:
    """The run with as much of its table as statements across runs need.

    Raises:
        RequestError: if its table cannot be had, or nothing was measured.
    """
    table = read_table(store, run)
    if not (table.quantity == "velocity").any():
        raise RequestError(f"{run.name}: no velocity was measured (tda=none?); leave this run out")
    single = (table["sample"] == -1) & (table.pair_step == -1) & table.quantity.isin(BY_LAYER)
    table = table[table.layer.isin([MEAN, ""]) | single].reset_index(drop=True)
    model, objective, seed = run.cell
    return Tracked(run.name, model, run.tags.get("stage", "?"), run.twin, objective, seed, table)


def tabulate_runs(store: Store, runs: Sequence[StoredRun]) -> pd.DataFrame:
    """Every number of every run in one table: what run it is of, then the columns of `topology.parquet`."""
    parts = []
    for run in runs:
        table, (model, objective, seed) = read_table(store, run), run.cell
        known: tuple[str | int, ...] = (
            run.id, model, run.tags.get("stage", "?"), objective, seed, run.tags.get("tda", "?"),
        )  # fmt: skip
        for place, (name, value) in enumerate(zip(RUN_COLUMNS, known, strict=True)):
            table.insert(place, name, value)
        parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*RUN_COLUMNS, *COLUMNS])


def choose_diagrams(
    store: Store, stored: Sequence[StoredRun], runs: Sequence[Tracked]
) -> tuple[dict[str, dict[int, dict[str, np.ndarray]]], str]:
    """Shape diagrams of one run a cell at some of its checkpoints, and in words which these are."""
    first: dict[tuple[str, str], tuple[StoredRun, Tracked]] = {}
    for one, run in zip(stored, runs, strict=True):
        first.setdefault((run.model, run.objective), (one, run))
    chosen = {}
    for one, run in first.values():
        layers = set(run.table.layer) - {"", MEAN}
        steps = sorted(set(run.table[run.table.quantity == "scale"].step))
        shapes = read_diagrams(store, one, choose_steps(steps, len(first), len(layers)))
        # A cloud in one place has no shape to draw; a layer is drawn where it has one throughout.
        kept = [n for n in next(iter(shapes.values()), {}) if all(at[n].scale for at in shapes.values())]
        if kept:
            chosen[run.name] = {step: {n: at[n].scaled for n in kept} for step, at in shapes.items()}
    seeds = "" if len(first) == len(runs) else "Of each cell the run with the lowest seed. "
    return chosen, f"{seeds}At most {MOST_STEPS} checkpoints of each run, evenly chosen, first and last among them."


def read_diagrams(store: Store, run: StoredRun, steps: Sequence[int]) -> dict[int, dict[str, Shape]]:
    """Step -> layer -> shape, where they can be had."""
    found = {}
    for step in steps:
        name = f"{RunDirectory(Path()).diagrams(step)}"
        with tempfile.TemporaryDirectory() as folder:
            path = _fetch(store, run, name, folder, kept_at=f"diagrams/{name}")
            if path is not None:
                found[step] = read_shapes(path)
    return found


def _fetch(store: Store, run: StoredRun, name: str, folder: str, kept_at: str | None = None) -> Path | None:
    """A file of the run directory, here or else from MLflow."""
    here = run.directory.path / name if run.directory else None
    return here if here and here.is_file() else fetch_artifact(store, run.id, kept_at or name, folder)
