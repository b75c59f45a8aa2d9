"""What a second metric says next to the first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..metrics.second import split_table
from .curves import read_curve
from .finding import Finding, RunFindings
from .wording.second import describe_second_metric

COMPARED = ("excess", "velocity")
"""What of both metrics is put side by side: the first of these that both have."""


def find_second_metric(table: pd.DataFrame, layer: str, dimensions: Sequence[int]) -> RunFindings:
    """One sentence under `second_metric`, dimension -1; none where there is one metric, or nothing moved."""
    first, second = split_table(table)
    for quantity in COMPARED if len(second) else ():
        means = {k: _means(first, second, quantity, k, layer) for k in dimensions}
        known = {k: pair for k, pair in means.items() if pair is not None}
        if known:
            return {("second_metric", -1): Finding(math.nan, sentence=describe_second_metric(quantity, known))}
    return {}


def _means(
    first: pd.DataFrame, second: pd.DataFrame, quantity: str, k: int, layer: str
) -> tuple[float, float] | None:  # fmt: skip
    """Means by the first metric and by the second, over the checkpoints that both have; None if there are none."""
    ours, theirs = (read_curve(table, quantity, k, layer) for table in (first, second))
    shared = np.intersect1d(ours.steps, theirs.steps)
    if not len(shared):
        return None
    ours, theirs = (curve.keep(np.isin(curve.steps, shared)) for curve in (ours, theirs))
    return float(ours.values.mean()), float(theirs.values.mean())
