"""The course of the velocity over training: its peak and what explains it, its early share, when it settles."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from ..statistics import NORMAL
from .curves import Curve, read_curve, read_pair_rate, read_velocity, smooth
from .finding import Finding, RunFindings
from .peaks import Explanation, Peak, find_peak
from .wording.velocity import (
    describe_early_share,
    describe_explanation,
    describe_level,
    describe_peak,
    describe_schedule,
    describe_stabilisation,
    describe_unsettled,
)


def find_velocity(table: pd.DataFrame, k: int, layer: str) -> RunFindings:
    """Findings of the velocity curve; it must have at least `MIN_COURSE` checkpoints."""
    velocity = read_velocity(table, k, layer)
    naive = read_curve(table, "naive_velocity", k, layer)
    naive = naive.keep(naive.values > 0)
    peak = find_peak(velocity)
    naive_peak = find_peak(naive) if len(naive) > 2 else None
    found = {
        ("peak_step", k): Finding(peak.step, peak.step_low, peak.step_high, peak.called),
        ("peak_ratio", k): Finding(peak.ratio, peak.low, peak.high, peak.called, describe_peak(peak, k)),
        ("early_share", k): _early_share(velocity, k),
        ("half_life", k): Finding(*velocity.estimate(lambda values: _half_life(velocity.steps, values), "logit")),
        ("stabilisation_step", k): _stabilisation(velocity, k),
        ("peak_explained_by", k): _explain(table, velocity, peak, naive_peak, k, layer),
    }
    if naive_peak:
        found["naive_peak_ratio", k] = Finding(naive_peak.ratio, naive_peak.low, naive_peak.high, naive_peak.called)
    return found


def _explain(
    table: pd.DataFrame, velocity: Curve, peak: Peak, naive_peak: Peak | None, k: int, layer: str
) -> Finding:  # fmt: skip
    """What a peak is an artefact of, if of anything: the tag `peak_explained_by_H<k>`."""
    if peak.called:
        explanation = _explain_peak(table, velocity, k, layer)
        sentence = describe_explanation(explanation, k)
    elif naive_peak is not None and naive_peak.called:
        explanation = "schedule"
        sentence = describe_schedule(naive_peak, k)
    else:
        explanation = "no_peak"
        sentence = describe_explanation(explanation, k)
    return Finding(math.nan, called=peak.called, label=explanation, sentence=sentence)


def _explain_peak(table: pd.DataFrame, velocity: Curve, k: int, layer: str) -> Explanation:
    """Whether a called peak is gone when divided by how far the distances moved, and then by the learning rate."""
    change = read_curve(table, "distance_change", -1, layer)
    change = change.keep(np.isin(change.steps, velocity.steps) & (change.values > 0))
    if not np.array_equal(change.steps, velocity.steps):
        return "unknown"
    if find_peak(velocity.divide(change)).called:
        return "nothing"
    rate = read_pair_rate(table, k, layer)
    rate = rate.keep(np.isin(rate.steps, velocity.steps)) if rate else None
    if rate and np.ptp(rate.values) > 0 and rate.values.min() > 0 and not find_peak(velocity.divide(rate)).called:
        return "learning_rate"
    return "displacement"


def _path_length(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The path length covered up to each optimizer step: the integral of the curve by trapezoids."""
    dense = np.interp(np.arange(steps[0], steps[-1] + 1), steps, values)
    return np.concatenate([[0.0], np.cumsum((dense[1:] + dense[:-1]) / 2)])


def _early_share(velocity: Curve, k: int) -> Finding:
    def share(values: np.ndarray) -> float:
        covered = _path_length(velocity.steps, values)
        return float(np.interp((len(covered) - 1) / 10, np.arange(len(covered)), covered) / covered[-1])

    value, low, high = velocity.estimate(share, "logit")
    called = low > 0.1 * (1 + 1e-9)  # a constant velocity gives 0.1 up to rounding
    return Finding(value, low, high, bool(called), describe_early_share(value, low, high, k))


def _half_life(steps: np.ndarray, values: np.ndarray) -> float:
    covered = _path_length(steps, values)
    return float(np.interp(covered[-1] / 2, covered, np.arange(len(covered))) / (len(covered) - 1))


def _stabilisation(velocity: Curve, k: int) -> Finding:
    """First step from which the smoothed velocity stays within the noise of one checkpoint about the late median."""
    late = velocity.late

    def level(values: np.ndarray) -> float:
        return float(np.median(values[late]))

    _, low, high = replace(velocity, noise=0.0).estimate(level, "log")
    smoothed = smooth(velocity.values)
    center = level(velocity.values)
    spread = velocity.noise or float(np.std(np.log(velocity.values[late]), ddof=1)) if late.sum() > 1 else 0.0
    tolerance = math.hypot(math.log(high / low) / 2 if math.isfinite(low) else 0.0, NORMAL * spread)
    outside = np.flatnonzero(np.abs(np.log(smoothed / center)) > tolerance)
    first = outside[-1] + 1 if len(outside) else 0
    if first >= len(velocity):
        return Finding(math.nan, sentence=describe_unsettled(k))
    step = float(velocity.steps[first])
    if first == 0:
        return Finding(step, sentence=describe_level(k))
    return Finding(step, called=True, sentence=describe_stabilisation(step, k))
