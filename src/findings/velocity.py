"""The course of the velocity over training: peak and decline, what explains a peak, early share, when it settles."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from ..statistics import ALPHA, NORMAL
from .chance import draw_chance, probability
from .curves import Curve, one_by_one, read_curve, read_pair_rate, read_velocity, smooth
from .finding import Finding, RunFindings
from .peaks import Decline, Explanation, Peak, find_decline, find_peak, measure_height
from .wording.velocity import (
    describe_decline,
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
    chance = draw_chance(velocity)
    peak, decline = find_peak(velocity, chance), find_decline(velocity, chance)
    naive = _read_naive(table, velocity, k, layer)
    found = {
        ("peak_step", k): Finding(peak.step, peak.step_low, peak.step_high, peak.called),
        ("peak_ratio", k): Finding(peak.ratio, peak.low, peak.high, peak.called, describe_peak(peak, k)),
        ("peak_height", k): Finding(*measure_height(velocity)),
        ("decline_ratio", k): _report_decline(decline, peak, k),
        ("early_share", k): _early_share(velocity, chance, k),
        ("half_life", k): Finding(
            *velocity.estimate(one_by_one(lambda values: _half_life(velocity.steps, values)), "logit")
        ),
        ("stabilisation_step", k): _stabilisation(velocity, k),
        ("peak_explained_by", k): _explain(table, velocity, peak, decline, naive, k, layer),
    }
    if naive:
        found["naive_peak_ratio", k] = Finding(naive.ratio, naive.low, naive.high, naive.called)
    return found


def _report_decline(decline: Decline, peak: Peak, k: int) -> Finding:
    """A course that rises first is called a peak, and nothing else."""
    called = decline.called and not peak.called
    return Finding(
        decline.ratio, decline.low, decline.high, called, describe_decline(decline, k) if called else ""
    )  # fmt: skip


def _read_naive(table: pd.DataFrame, velocity: Curve, k: int, layer: str) -> Peak | None:
    """The highest naive velocity; called where it peaks or declines, which an analysis without a lag takes for one."""
    naive = read_curve(table, "naive_velocity", k, layer)
    naive = replace(naive.keep(naive.values > 0), runs=velocity.runs)
    if len(naive) <= 2:
        return None
    chance = draw_chance(naive)
    peak = find_peak(naive, chance)
    return replace(peak, called=peak.called or find_decline(naive, chance).called)


def _explain(
    table: pd.DataFrame, velocity: Curve, peak: Peak, decline: Decline, naive: Peak | None, k: int, layer: str
) -> Finding:  # fmt: skip
    """What a peak is an artefact of, if of anything: the tag `peak_explained_by_H<k>`."""
    if peak.called:
        explanation = _explain_peak(table, velocity, k, layer)
        sentence = describe_explanation(explanation, k)
    elif naive is not None and naive.called and not decline.called:
        explanation = "schedule"
        sentence = describe_schedule(naive, k)
    else:
        explanation = "no_peak"
        sentence = "" if decline.called else describe_explanation(explanation, k)
    return Finding(math.nan, called=peak.called, label=explanation, sentence=sentence)


def _explain_peak(table: pd.DataFrame, velocity: Curve, k: int, layer: str) -> Explanation:
    """Whether a called peak is gone when divided by how far the distances moved, and then by the learning rate."""
    change = read_curve(table, "distance_change", -1, layer)
    change = change.keep(np.isin(change.steps, velocity.steps) & (change.values > 0))
    if not np.array_equal(change.steps, velocity.steps):
        return "unknown"
    if _has_peak(velocity.divide(change)):
        return "nothing"
    rate = read_pair_rate(table, k, layer)
    rate = rate.keep(np.isin(rate.steps, velocity.steps)) if rate else None
    if rate and np.ptp(rate.values) > 0 and rate.values.min() > 0 and not _has_peak(velocity.divide(rate)):
        return "learning_rate"
    return "displacement"


def _has_peak(curve: Curve) -> bool:
    return find_peak(curve, draw_chance(curve)).called


def _path_length(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The path length covered up to each optimizer step: the integral of the curve by trapezoids."""
    dense = np.interp(np.arange(steps[0], steps[-1] + 1), steps, values)
    return np.concatenate([[0.0], np.cumsum((dense[1:] + dense[:-1]) / 2)])


def _early_share(velocity: Curve, chance: np.ndarray | None, k: int) -> Finding:
    # Both integrals are sums over the checkpoints: each one's weight is the integral of a curve that is 1 there alone.
    covered = np.array([_path_length(velocity.steps, one) for one in np.eye(len(velocity))])
    places = np.arange(covered.shape[1])
    early = np.array([np.interp(places[-1] / 10, places, one) for one in covered])

    def share(values: np.ndarray) -> np.ndarray:
        length = values @ covered[:, -1]
        return np.asarray((values @ early) / np.where(length > 0, length, np.nan))  # half of the points may not move

    value, low, high = velocity.estimate(one_by_one(lambda values: float(share(values))), "logit")
    p = probability(chance, velocity, lambda logs: share(np.exp(logs)))
    called = low > 0.1 * (1 + 1e-9) and p < ALPHA  # a constant velocity gives 0.1 up to rounding
    return Finding(value, low, high, bool(called), describe_early_share(value, low, high, p, k))


def _half_life(steps: np.ndarray, values: np.ndarray) -> float:
    covered = _path_length(steps, values)
    return float(np.interp(covered[-1] / 2, covered, np.arange(len(covered))) / (len(covered) - 1))


def _stabilisation(velocity: Curve, k: int) -> Finding:
    """First step from which the smoothed velocity stays within the noise of one checkpoint about the late median."""
    late = velocity.late

    def level(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.median(values[..., late], axis=-1))

    _, low, high = replace(velocity, noise=0.0).estimate(level, "log")
    smoothed = smooth(velocity.values)
    center = float(level(velocity.values))
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
