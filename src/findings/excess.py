"""Did the topology change more than an equally smooth random movement of the same size would have made it?"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from ..metrics.selection import select
from ..metrics.table import MEAN
from ..statistics import ALPHA, NORMAL
from ..statistics.intervals import Scale, interval
from .chance import draw_chance
from .curves import Curve, Period, read_curve, read_points, read_velocity
from .finding import Finding, RunFindings
from .wording.excess import (
    describe_change,
    describe_common_scaling,
    describe_excess,
    describe_independent,
    describe_largest_excess,
    describe_short_change,
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
    if excess.early.any() and excess.late.any():
        found["excess_change", k] = _find_change(table, excess, k, layer)
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
    """Mean excess over some checkpoints, with its interval."""
    value = float(excess.values.mean())
    low, high = interval(value, *_errors(table, excess, k, layer))
    points = read_points(table, layer)
    return Finding(value, low, high, bool(low > 1 or high < 1), describe_excess(value, low, high, period, k, points))


def _errors(table: pd.DataFrame, excess: Curve, k: int, layer: str) -> tuple[np.ndarray, Scale, float]:
    """What `interval` needs of a mean excess: the halves over their own nulls, and the error of the draws' mean."""
    draws = read_curve(table, "null_velocity", k, layer)
    draws = draws.keep(np.isin(draws.steps, excess.steps))
    errors = np.log(draws.halves).std(axis=0, ddof=1) / math.sqrt(max(1, len(draws.halves)))
    half_width = NORMAL * float(np.sqrt((errors**2).mean() / len(errors)))
    halves = read_curve(table[table.step.isin(excess.steps)], "excess", k, layer).halves
    if len(halves):
        return halves.mean(axis=1), "log", half_width
    velocity = read_curve(table, "velocity", k, layer)  # somewhere a half has no null, or the table is an old one
    velocity = velocity.keep(np.isin(velocity.steps, excess.steps))
    return (velocity.halves / draws.values).mean(axis=1), "log", half_width


def _find_change(table: pd.DataFrame, excess: Curve, k: int, layer: str) -> Finding:
    """Mean excess of the first tenth of the steps over that of the last half: whether the course begins differently.

    The interval joins the errors of both means and what series without a trend, as alike from step to step as the
    velocity for its distance change, make of their ratio; p is two-sided, over the same series.
    """
    early, late = excess.keep(excess.early), excess.keep(excess.late)
    value = float(early.values.mean() / late.values.mean())
    velocity, moved = read_velocity(table, k, layer), read_curve(table, "distance_change", -1, layer)
    alike = velocity.keep(np.isin(velocity.steps, excess.steps))
    moved = moved.keep(np.isin(moved.steps, alike.steps) & (moved.values > 0))
    if len(moved) == len(alike):
        alike = alike.divide(moved)
    series = draw_chance(replace(excess, members=alike.members, runs=alike.runs))
    if series is None:
        return Finding(value, sentence=describe_short_change(value, k))
    ratios = np.log(np.exp(series[:, excess.early]).mean(axis=1) / np.exp(series[:, excess.late]).mean(axis=1))
    center = float(np.median(ratios))
    p = float((1 + (np.abs(ratios - center) >= abs(math.log(value) - center)).sum()) / (1 + len(ratios)))
    (ours, scale, first), (theirs, _, second) = (_errors(table, part, k, layer) for part in (early, late))
    spread = NORMAL * float(ratios.std())
    low, high = interval(value, ours / theirs, scale, math.hypot(first, second, spread))
    called = p < ALPHA and bool(low > 1 or high < 1)
    return Finding(value, low, high, called, describe_change(value, low, high, p, k))


def count_significant(table: pd.DataFrame, k: int, layer: str) -> RunFindings:
    """`excess_share`: the share of checkpoints x layers whose excess is significant after Benjamini-Hochberg.

    Counted is the excess without one common scaling of all bars: how far they grow together differs from one random
    update of the weights to the next by more than the draws of the null do, so that p of the plain excess is too small.
    Its sentence says where the excess is largest; there is none where no excess was measured.
    """
    rows = select(table, ("excess_own_scale", "excess_own_scale_p"), k)
    wide = rows[(rows.layer != MEAN) | (layer != MEAN)].pivot_table(
        index=["step", "layer"], columns="quantity", values="value"
    ).dropna()  # fmt: skip
    if wide.empty:
        return {}
    significant = wide[(false_discovery_control(wide.excess_own_scale_p) < ALPHA)].excess_own_scale
    above, below = significant[significant > 1], significant[significant < 1]
    sentence = describe_significance(len(above), len(below), len(wide), k)
    if len(above):
        step, largest_layer = above.idxmax()
        last = int(above.index.get_level_values("step").max())
        sentence += " " + describe_largest_excess(above.max(), largest_layer, step, last)
    return {("excess_share", k): Finding(len(significant) / len(wide), called=len(significant) > 0, sentence=sentence)}
