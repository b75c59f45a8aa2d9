"""Rows and numbers that follow from the table alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .selection import select, select_curve
from .table import COLUMNS, FLOOR_FACTOR


def mark_floor(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `below_floor` rows: 1 where a checkpoint's velocity is under 3 x the rounding floor, else 0."""
    floors = select(table, "floor/velocity")[["layer", "dimension", "value"]]
    marks = select(table, "velocity").merge(floors, on=["layer", "dimension"], suffixes=("", "_0"))
    marks["value"] = (marks.value < FLOOR_FACTOR * marks.value_0).astype("float64")
    marks["quantity"] = "below_floor"
    return pd.concat([table, marks[list(COLUMNS)]], ignore_index=True)


def path_length(table: pd.DataFrame, dimension: int) -> float | None:
    """Integral over the steps of the layers' mean velocity, by trapezoids; None with fewer than 2 checkpoints."""
    curve = select_curve(table, "velocity", dimension)
    return float(np.trapz(curve.value, curve.step)) if len(curve) > 1 else None
