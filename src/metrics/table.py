"""The long table of a run's numbers, and how its rows are called in MLflow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd

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


def path_length(table: pd.DataFrame, dimension: int) -> float | None:
    """Integral over the steps of the layers' mean velocity, by trapezoids; None with fewer than 2 checkpoints."""
    wanted = (table.quantity == "velocity") & (table.layer == MEAN) & (table.dimension == dimension)
    curve = table[wanted & (table.pair_step == -1) & (table["sample"] == -1)].sort_values("step")
    return float(np.trapz(curve.value, curve.step)) if len(curve) > 1 else None
