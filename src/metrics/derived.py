"""Rows and numbers that follow from the table alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.integrate import trapezoid

from .selection import layers_of, select, select_curve
from .table import COLUMNS, FLOOR_FACTOR, MAX_BELOW_FLOOR, MEAN

_OF_VELOCITY = r"(?<!naive_)velocity|excess|coherence|step_noise"


def mark_floor(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `below_floor` rows: 1 where a checkpoint's velocity is under 3 x the rounding floor, else 0."""
    marks = _with_floor(table)
    marks["value"] = (marks.value < FLOOR_FACTOR * marks.floor).astype("float64")
    marks["quantity"] = "below_floor"
    marks[["low", "high"]] = np.nan
    return pd.concat([table, marks[list(COLUMNS)]], ignore_index=True)


def _with_floor(table: pd.DataFrame) -> pd.DataFrame:
    """Velocities with the larger of the floors that their layer has at both ends of the run, `floor`."""
    floors = select(table, "floor/velocity").groupby(["layer", "dimension"]).value.max().rename("floor").reset_index()
    return select(table, "velocity").merge(floors, on=["layer", "dimension"])


def layers_below_floor(table: pd.DataFrame) -> list[str]:
    """Single layers most of whose velocities are rounding; of a table that `mark_floor` marked."""
    marks = select(table, "below_floor")
    shares = marks[marks.layer != MEAN].groupby("layer").value.mean()
    return sorted(shares[shares > MAX_BELOW_FLOOR].index)


def is_rounding(table: pd.DataFrame) -> bool:
    """Whether the velocities of a run are rounding: those of more than half of its layers."""
    return len(layers_below_floor(table)) > MAX_BELOW_FLOOR * len(layers_of(table))


def drop_rounding(table: pd.DataFrame) -> pd.DataFrame:
    """The table without what rounding made: velocities below the floor and all that was made of them."""
    marks = select(table, "below_floor")
    marked = pd.MultiIndex.from_frame(marks[marks.value > 0][["step", "layer", "dimension"]])
    if marked.empty:
        return table
    spoiled = table.quantity.str.contains(_OF_VELOCITY)
    return table[~(spoiled & pd.MultiIndex.from_frame(table[["step", "layer", "dimension"]]).isin(marked))]


def path_length(table: pd.DataFrame, dimension: int) -> float | None:
    """Integral over the steps of the layers' mean velocity, by trapezoids; None with fewer than 2 checkpoints."""
    curve = select_curve(table, "velocity", dimension)
    return float(trapezoid(curve.value, curve.step)) if len(curve) > 1 else None
