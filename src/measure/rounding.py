"""What the rounding floor means for the table of a run: marks, and a mean over the layers that moved."""

from __future__ import annotations

import pandas as pd

from ..metrics.derived import is_rounding, layers_below_floor, mark_floor
from ..metrics.table import MEAN, Row, tabulate
from .inference import INFERRED, infer


def apply_floor(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its marks, the mean over the layers without those most of whose velocities are rounding.

    Where those are more than half of the layers the mean stays that of all: no finding is made of such a run.
    """
    marked = mark_floor(table)
    left_out = [] if is_rounding(marked) else layers_below_floor(marked)
    return mark_floor(average_without(table, left_out)) if left_out else marked


def average_without(table: pd.DataFrame, left_out: list[str]) -> pd.DataFrame:
    """The table with the means over all layers but some, and what follows from these means."""
    inferred = table.quantity.isin(INFERRED) & (table["sample"] < 0)
    kept = table[~table.layer.isin(["", MEAN, *left_out]) & ~inferred]
    rows = [Row(**values) for values in kept.to_dict("records")]  # type: ignore[arg-type]
    means = [
        row for _, part in kept.groupby("step").indices.items() for row in infer(rows[n] for n in part)
        if row.layer == MEAN
    ]  # fmt: skip
    return pd.concat([table[table.layer != MEAN], tabulate(means)], ignore_index=True)
