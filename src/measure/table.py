"""The long table of a run's numbers, and how its rows are called in MLflow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from ..integrity import read_json, replacing, write_json
from ..journal import read_on
from ..rundir import RunDirectory

MEAN = "mean"
"""The `layer` of a value that is the mean over the layers."""
GEOMETRY = (
    "scale", "displacement", "rigid_share", "rigid_share_null", "distance_change", "explained_variance", "sinks",
    "equal_points", "intrinsic_dimension", "effective_rank", "participation_ratio", "cka_to_base", "anisotropy",
    "mean_norm",
)  # fmt: skip
BEHAVIOR = "behavior/"


@dataclass(frozen=True)
class Row:
    """One number; -1 and "" stand where a column does not apply."""

    step: int
    quantity: str
    """`velocity`, `scale`, `topology/n_bars`, `train_loss`, ..."""
    value: float
    layer: str = ""
    """`layer_01`, ..., or `mean` over the layers."""
    dimension: int = -1
    pair_step: int = -1
    """The later step of one single pair; -1 where a checkpoint's pairs are averaged."""
    sample: int = -1
    """Subsample of the probes; -1 for all of them."""
    low: float = math.nan
    high: float = math.nan


COLUMNS = ("step", "pair_step", "layer", "dimension", "quantity", "sample", "value", "low", "high")


def metric_key(row: Row) -> str:
    """The MLflow key of a row: `velocity/H1/layer_02`, `topology/H0/n_bars/mean`, `geometry/scale/mean`."""
    if row.quantity in GEOMETRY:
        return f"geometry/{row.quantity}/{row.layer}"
    family, _, summary = row.quantity.partition("/")
    if family == "floor":
        return f"floor/{summary}{f'_H{row.dimension}' if row.dimension >= 0 else ''}/{row.layer}"
    return "/".join(part for part in (family, f"H{row.dimension}", summary, row.layer) if part)


def with_means(rows: Iterable[Row]) -> list[Row]:
    """The rows and, for each quantity, their mean over the layers that have it."""
    rows = list(rows)
    groups: dict[tuple[int, int, int, str, int], list[float]] = {}
    for row in rows:
        groups.setdefault((row.step, row.pair_step, row.dimension, row.quantity, row.sample), []).append(row.value)
    means = [
        Row(step, quantity, float(np.mean(values)), MEAN, dimension, pair_step, sample)
        for (step, pair_step, dimension, quantity, sample), values in groups.items()
    ]
    return rows + means


def write_rows(path: Path, rows: Iterable[Row], **facts: float) -> None:
    """One JSON array per row under the names of its columns, and other facts by name."""
    named = {"columns": [item.name for item in fields(Row)], "rows": [_without_nan(astuple(row)) for row in rows]}
    write_json(path, named | facts)


def _without_nan(values: tuple[object, ...]) -> list[object]:
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


def read_rows(path: Path) -> tuple[pd.DataFrame, dict[str, float]]:
    """What `write_rows` wrote, the rows as a table with `COLUMNS`.

    Raises:
        DamagedError: if that is not what is there.
    """
    stored = read_json(path)
    frame = pd.DataFrame(stored.pop("rows"), columns=stored.pop("columns"))
    return frame.astype(_types())[list(COLUMNS)], stored


def build_table(run: RunDirectory, steps: Iterable[int], behavior: Path) -> pd.DataFrame:
    """All rows of a run: the checkpoints' measurements, then behaviour from the spool of the run that was trained."""
    parts = [read_rows(run.metrics(step))[0] for step in steps if run.metrics(step).exists()]
    trained = [
        Row(line["step"], key.removeprefix(BEHAVIOR), value)
        for line, _ in read_on(behavior)
        for key, value in line["metrics"].items()
        if key.startswith(BEHAVIOR)
    ]
    return pd.concat([*parts, tabulate(trained)], ignore_index=True)


def mark_floor(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `below_floor` rows: 1 where a checkpoint's velocity is under 3 x the rounding floor, else 0."""
    usual = (table.pair_step == -1) & (table["sample"] == -1)
    floors = table[usual & (table.quantity == "floor/velocity")][["layer", "dimension", "value"]]
    marks = table[usual & (table.quantity == "velocity")].merge(floors, on=["layer", "dimension"], suffixes=("", "_0"))
    marks["value"] = (marks.value < 3 * marks.value_0).astype("float64")
    marks["quantity"] = "below_floor"
    return pd.concat([table, marks[list(COLUMNS)]], ignore_index=True)


def tabulate(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table with `COLUMNS`."""
    frame = pd.DataFrame([astuple(row) for row in rows], columns=[item.name for item in fields(Row)])
    return frame.astype(_types())[list(COLUMNS)]


def _types() -> Mapping[str, str]:
    integers = dict.fromkeys(("step", "pair_step", "dimension", "sample"), "int64")
    return (
        integers | dict.fromkeys(("value", "low", "high"), "float64") | dict.fromkeys(("layer", "quantity"), "object")
    )


def write_table(run: RunDirectory, table: pd.DataFrame) -> None:
    with replacing(run.table) as partial:
        table.to_parquet(partial, index=False)


def path_length(table: pd.DataFrame, dimension: int) -> float | None:
    """Integral over the steps of the layers' mean velocity, by trapezoids; None with fewer than 2 checkpoints."""
    wanted = (table.quantity == "velocity") & (table.layer == MEAN) & (table.dimension == dimension)
    curve = table[wanted & (table.pair_step == -1) & (table["sample"] == -1)].sort_values("step")
    return float(np.trapz(curve.value, curve.step)) if len(curve) > 1 else None
