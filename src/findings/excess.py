"""Did the topology change more than an equally smooth random movement of the same size would have made it?"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from ..metrics.selection import select
from ..metrics.table import MEAN
from ..statistics import ALPHA, NORMAL
from ..statistics.intervals import interval
from .curves import Curve, Period, read_curve, read_points
from .finding import Finding, RunFindings
from .wording.excess import (
    describe_common_scaling,
    describe_excess,
    describe_independent,
    describe_largest_excess,
    describe_significance,
)


def find_excess(table: pd.DataFrame, k: int, layer: str) -> RunFindings:
    """Findings of the excess; none where it was not measured."""
    excess = read_curve(table, "excess", k, layer)
    if not len(excess):
        return {}
    found: RunFindings = {}
    if excess.early.any():
        found["excess_early", k] = _mean_excess(table, excess.keep(excess.early), "early", k, layer)
    if excess.late.any():
        found["excess_late", k] = _mean_excess(table, excess.keep(excess.late), "late", k, layer)
    found["excess_share", k] = _find_significant(table, k, layer)
    return found | _find_companions(table, k, layer)


def _find_companions(table: pd.DataFrame, k: int, layer: str) -> RunFindings:
    """What the excess is to be read beside: against independent points, and without one common scaling of the bars."""
    found: RunFindings = {}
    independent = read_curve(table, "independent_excess", k, layer)
    if len(independent):
        value = float(independent.values.mean())
        found["independent_excess", k] = Finding(value, sentence=describe_independent(value, k))
    own_scale, coherence = (read_curve(table, name, k, layer) for name in ("excess_own_scale", "coherence"))
    if len(own_scale) and len(coherence):
        value, common = float(own_scale.values.mean()), float(coherence.values.mean())
        found["coherence", k] = Finding(common)
        found["excess_own_scale", k] = Finding(value, sentence=describe_common_scaling(value, common, k))
    return found


def _mean_excess(table: pd.DataFrame, excess: Curve, period: Period, k: int, layer: str) -> Finding:
    """Mean excess over some checkpoints: the halves give the velocity's error, the draws that of their mean."""
    velocity = read_curve(table, "velocity", k, layer)
    velocity = velocity.keep(np.isin(velocity.steps, excess.steps))
    draws = read_curve(table, "null_velocity", k, layer)
    draws = draws.keep(np.isin(draws.steps, excess.steps))
    value = float(excess.values.mean())
    errors = np.log(draws.halves).std(axis=0, ddof=1) / math.sqrt(max(1, len(draws.halves)))
    half_width = NORMAL * float(np.sqrt((errors**2).mean() / len(errors)))
    halves = (velocity.halves / draws.values).mean(axis=1)
    low, high = interval(value, halves, extra_half_width=half_width)
    points = read_points(table, layer)
    return Finding(value, low, high, bool(low > 1 or high < 1), describe_excess(value, low, high, period, k, points))


def _find_significant(table: pd.DataFrame, k: int, layer: str) -> Finding:
    """Share of checkpoints x layers whose excess is significant after Benjamini-Hochberg, and where it is largest."""
    rows = select(table, ("excess", "excess_p"), k)
    wide = rows[(rows.layer != MEAN) | (layer != MEAN)].pivot_table(
        index=["step", "layer"], columns="quantity", values="value"
    ).dropna()  # fmt: skip
    if wide.empty:
        return Finding(math.nan)
    significant = wide[(false_discovery_control(wide.excess_p) < ALPHA)]
    above, below = significant[significant.excess > 1], significant[significant.excess < 1]
    sentence = describe_significance(len(above), len(below), len(wide), k)
    if len(above):
        step, largest_layer = above.excess.idxmax()
        last = int(above.index.get_level_values("step").max())
        sentence += " " + describe_largest_excess(above.excess.max(), largest_layer, step, last)
    return Finding(len(significant) / len(wide), called=len(significant) > 0, sentence=sentence)
