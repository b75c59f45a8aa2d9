"""The long table of a run's numbers, and how its rows are called in MLflow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields, replace
from typing import Literal

import numpy as np
import pandas as pd

from ..arrays import read_array
from ..config import SECOND_METRIC

MEAN = "mean"
"""The `layer` of a value that is the mean over the layers."""

MAX_DOMINANT_SHARE = 0.5
"""Share of the squared distances in two coordinates above which a run is warned of them."""

FLOOR_FACTOR = 3
"""A velocity below so many times the rounding floor is marked and kept out of findings."""

MAX_DISTANCE_CHANGE = 0.1
"""Distance change from which on random movement is no small movement: no null is defined."""

Part = Literal["checkpoint", "pair", "sample"]
"""What a row is of: a checkpoint, one of its pairs, or a random half of the probes (or a random movement)."""

NOT_FINITE = "not_finite"
"""Stands where nothing was measured of a layer at a checkpoint, because an activation there is not finite."""

GEOMETRY = (
    "scale", "points", "displacement", "rigid_share", "rigid_share_null", "distance_change", "explained_variance",
    "sinks", "equal_points", "intrinsic_dimension", "effective_rank", "participation_ratio", "cka_to_base",
    "anisotropy", "dominant_share", "mean_norm", "base_displacement", "base_p",
    NOT_FINITE,
)  # fmt: skip

MAX_BELOW_FLOOR = 0.5
"""Share of a layer's velocities below the floor above which the mean leaves it out; of the layers, above which a run's
velocities are rounding."""

ZIGZAG = "zigzag/"
"""What the quantities begin with that say how clusters and loops go on from layer to layer."""

LAYER_DISTANCE = "layer_distance"
"""How far the shape of a layer is from that of the next one."""

NOT_AVERAGED = ("base_p", NOT_FINITE, f"{ZIGZAG}births")
"""What has no mean over the layers: a mean of p values is none, of what is left out there is nothing, and shares of
one whole have always the same."""

SECOND = f"{SECOND_METRIC}/"
"""What the quantities of the second metric, and so their MLflow keys, begin with: they fill sections of their own."""

WINDOW = "window/"
"""What the quantities of single pairs are called by that only tell how alike neighbouring steps are."""

HALF = "half/"
"""What the quantity is called by that random movement of each half gives: the excess of the halves is made of it."""

BEHAVIOR = "behavior/"
"""What the MLflow keys of behaviour begin with; their quantities are called without it."""


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

    @property
    def part(self) -> Part:
        return "sample" if self.sample >= 0 else "pair" if self.pair_step >= 0 else "checkpoint"


KEY = ("step", "pair_step", "layer", "dimension", "quantity", "sample")
"""What tells the rows of a run apart."""
COLUMNS = (*KEY, "value", "low", "high")


def metric_key(row: Row) -> str:
    """The MLflow key of a row: `velocity/H1/layer_02`, `topology/H0/n_bars/mean`, `geometry/scale/mean`."""
    if row.quantity.startswith(SECOND):
        return SECOND + metric_key(replace(row, quantity=row.quantity.removeprefix(SECOND)))
    if row.quantity in GEOMETRY:
        return f"geometry/{row.quantity}/{row.layer}"
    family, _, summary = row.quantity.partition("/")
    if family == "floor":
        return f"floor/{summary}{f'_H{row.dimension}' if row.dimension >= 0 else ''}/{row.layer}"
    return "/".join(part for part in (family, f"H{row.dimension}", summary, row.layer) if part)


def with_means(rows: Iterable[Row]) -> list[Row]:
    """The rows and, for each quantity that has one, their mean over the layers that have it."""
    rows = list(rows)
    groups: dict[tuple[int, int, int, str, int], list[float]] = {}
    for row in (row for row in rows if row.quantity not in NOT_AVERAGED):
        groups.setdefault((row.step, row.pair_step, row.dimension, row.quantity, row.sample), []).append(row.value)
    means = [
        Row(step, quantity, float(np.mean(values)), MEAN, dimension, pair_step, sample)
        for (step, pair_step, dimension, quantity, sample), values in groups.items()
    ]
    return rows + means


def tabulate(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table with `COLUMNS`."""
    frame = pd.DataFrame([astuple(row) for row in rows], columns=[item.name for item in fields(Row)])
    return frame.astype(_types())[list(COLUMNS)]


def read_table(given: object, name: str) -> pd.DataFrame:
    """A table as notebooks hold it, with the types of `tabulate`; further columns stay.

    Args:
        given: a frame, or a list of rows as dictionaries; numbers of any type; no `layer` where a CSV file has none.
        name: of the argument, for messages.

    Raises:
        ValueError: if it is none, lacks a column or has one twice, has no value, or a column holds something else; if a
            value is infinite, a p-value none, or a row there twice, as where tables of several runs were joined.

    Rows without a value are left out.
    """
    frame = pd.DataFrame(given) if isinstance(given, list) and all(isinstance(row, Mapping) for row in given) else given
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(
            f"{name} is a {type(given).__name__}; give one long table, from topology.parquet or from track"
        )
    if frame.empty:
        raise ValueError(f"{name} is empty; give the long table of a run, from topology.parquet or from track")
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise ValueError(f"{name} has no column {', '.join(missing)}; give the long form, with {', '.join(COLUMNS)}")
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()].tolist()
        raise ValueError(f"{name} has the column {twice[0]} twice; give each once")
    columns = {
        column: _read_words(frame[column], f"{name}.{column}")
        if kind == "object"
        else _read_numbers(frame[column], f"{name}.{column}", kind)
        for column, kind in _types().items()
    }
    frame = frame.assign(**columns)
    return _with_values(frame[frame.value.notna()], name)


def _with_values(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The table, if its values can be those of a run."""
    if frame.empty:
        raise ValueError(f"{name} has no value; give the long table of a run, from topology.parquet or from track")
    is_p = frame.quantity.str.endswith("_p")
    for wrong, why in (
        (np.isinf(frame.value), "is infinite"),
        (is_p & ~frame.value.between(0, 1), "is no p-value, from 0 to 1"),
        (frame.duplicated(list(KEY)), "is there twice; give the table of one run"),
    ):
        if wrong.any():
            row = frame[wrong].iloc[0]
            where = f"{row.quantity} of {row.layer or 'the run'} at step {row.step}, dimension {row.dimension}"
            raise ValueError(f"{name}: {where}, {row.value:g}, {why}")
    return frame


def _read_numbers(column: pd.Series, name: str, kind: str) -> np.ndarray:
    numbers = read_array(column.infer_objects(), name)  # joined frames hold numbers as objects
    if kind == "int64" and not (np.isfinite(numbers) & (numbers % 1 == 0)).all():
        raise ValueError(f"{name} has values that are no whole numbers; give -1 where it does not apply")
    return numbers.astype(kind)


def _read_words(column: pd.Series, name: str) -> pd.Series:
    words = column.astype("object").where(column.notna(), "")
    if pd.api.types.infer_dtype(words, skipna=False) != "string":
        raise ValueError(f"{name} has values that are no words; give names such as layer_01 or velocity")
    return words


def _types() -> Mapping[str, str]:
    integers = dict.fromkeys(("step", "pair_step", "dimension", "sample"), "int64")
    return (
        integers | dict.fromkeys(("value", "low", "high"), "float64") | dict.fromkeys(("layer", "quantity"), "object")
    )
