"""What stored runs measured: tables and diagrams, from this machine or from MLflow."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from ..config import RequestError
from ..figures.diagrams import choose_steps
from ..findings import Tracked
from ..measure.layer_diagrams import LayerDiagram, read_layer_diagrams
from ..metrics.files import read_stored_table
from ..metrics.selection import is_measured, layers_of, select, steps_of
from ..metrics.table import COLUMNS, MEAN, NOT_FINITE
from ..rundir import RunDirectory
from ..rundir.layout import TABLE_FILE
from ..system.files import DamagedError
from ..system.invocation import command_line
from ..tracking.queries import fetch_artifact
from ..tracking.store import Store
from .select import DAMAGED, StoredRun

logger = logging.getLogger(__name__)

T = TypeVar("T")

BY_LAYER = (
    "excess", "excess_p", "scale", "below_floor", "base_displacement", "base_p", "floor/base_displacement", NOT_FINITE,
)  # fmt: skip
"""What findings and figures across runs take from single layers; all else they take from the mean over them."""

RUN_COLUMNS = ("run", "model", "stage", "objective", "seed", "tda")


def read_table(store: Store, run: StoredRun) -> pd.DataFrame:
    """The run's `topology.parquet`.

    Raises:
        RequestError: if it cannot be had, or another version wrote it.
        DamagedError: if it is not what was written, here and in MLflow.
    """
    with tempfile.TemporaryDirectory() as folder:
        table = _read(store, run, TABLE_FILE, folder, read_stored_table)
    if table is None:
        raise RequestError(f"{run.name}: its {TABLE_FILE} is neither on this machine nor in MLflow (run {run.id})")
    differing = [f"no column {name}" for name in COLUMNS if name not in table]
    differing += [f"unknown column {name}" for name in table if name not in COLUMNS]
    if differing:
        raise RequestError(
            f"{run.name}: another version wrote its {TABLE_FILE} ({', '.join(differing)}); measure its clouds again, "
            f"{command_line('analyze')} run={run.id}, or make the run again with force=true"
        )
    return table


def track_stored(store: Store, run: StoredRun) -> Tracked:
    """The run with as much of its table as statements across runs need.

    Raises:
        RequestError: if its table cannot be had, or nothing was measured.
    """
    table = read_table(store, run)
    if old := _old_excess(table):
        raise RequestError(
            f"{run.name}: an earlier version measured its excess, {old}; measure its clouds again, "
            f"{command_line('analyze')} run={run.id}, or make the run again with force=true"
        )
    if not is_measured(table, "velocity"):
        raise RequestError(f"{run.name}: no velocity was measured (tda=none?); leave this run out")
    kept = table.layer.isin([MEAN, ""]) | table.index.isin(select(table, BY_LAYER).index)
    table = table[kept].reset_index(drop=True)
    model, objective, seed = run.cell
    return Tracked(run.name, model, run.tags.get("stage", "?"), run.twin, objective, seed, table)


def _old_excess(table: pd.DataFrame) -> str:
    """In which other way an earlier version measured the excess; empty if it is today's."""
    if is_measured(table, "excess") and not is_measured(table, "independent_excess"):
        return "against points that move independently"
    halves, draws, excess = (
        select(table, name, part="sample") for name in ("velocity", "null_own_scale_velocity", "excess")
    )
    if len(halves) and len(draws) and excess.empty:
        return "with another unit for what is left without common scaling, and without a null of the halves"
    return ""


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
) -> dict[str, dict[int, dict[str, np.ndarray]]]:
    """Shape diagrams of one run a cell, the one with the lowest seed, at some of its checkpoints."""
    first: dict[tuple[str, str], tuple[StoredRun, Tracked]] = {}
    for one, run in zip(stored, runs, strict=True):
        first.setdefault((run.model, run.objective), (one, run))
    chosen = {}
    for one, run in first.values():
        steps = choose_steps(steps_of(run.table, "scale"), len(first), len(layers_of(run.table)))
        at_steps = read_diagrams(store, one, steps)
        # A cloud in one place has no shape to draw; a layer is drawn where it has one throughout.
        kept = [n for n in next(iter(at_steps.values()), {}) if all(of[n].has_shape for of in at_steps.values())]
        if kept:
            chosen[run.name] = {step: {n: of[n].normalized for n in kept} for step, of in at_steps.items()}
    return chosen


def read_diagrams(store: Store, run: StoredRun, steps: Sequence[int]) -> dict[int, dict[str, LayerDiagram]]:
    """Step -> layer -> shape, where they can be had."""
    found = {}
    for step in steps:
        name = f"{RunDirectory(Path()).diagrams(step)}"
        # What is damaged is said already, and no finding hangs on a picture.
        with tempfile.TemporaryDirectory() as folder, suppress(DamagedError):
            diagrams = _read(store, run, name, folder, read_layer_diagrams, kept_at=f"diagrams/{name}")
            if diagrams is not None:
                found[step] = diagrams
    return found


def set_damaged_apart(store: Store, runs: Sequence[StoredRun]) -> tuple[list[StoredRun], list[str]]:
    """The runs, those whose table is damaged marked as such, and what is wrong with each of these."""
    marked, problems = [], []
    for run in runs:
        try:
            with tempfile.TemporaryDirectory() as folder:
                if run.done and _read(store, run, TABLE_FILE, folder, read_stored_table) is None:
                    where = run.directory.path if run.directory else Path(f"MLflow run {run.id}")
                    raise DamagedError(where / TABLE_FILE, "it is neither on this machine nor in MLflow")
            marked.append(run)
        except DamagedError as error:
            marked.append(replace(run, status=DAMAGED))
            problems.append(f"{run.name}: {error}")
    return marked, problems


def _read(
    store: Store, run: StoredRun, name: str, folder: str, read: Callable[[Path], T], kept_at: str | None = None
) -> T | None:  # fmt: skip
    """What `read` makes of a file of the run directory or, where that is damaged or not here, of MLflow's copy.

    Returns:
        None if it is neither here nor there.

    Raises:
        DamagedError: if it is damaged, and no whole one is to be had.
    """
    local, damage = run.directory.path / name if run.directory else None, None
    if local and local.is_file():
        try:
            return read(local)
        except DamagedError as error:
            damage = error
    copy = fetch_artifact(store, run.id, kept_at or name, folder)
    if damage:
        logger.warning("%s; %s", damage, "MLflow's copy is taken" if copy else "MLflow has no copy")
    if copy:
        return read(copy)
    if damage:
        raise damage
    return None
