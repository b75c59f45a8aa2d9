"""The course of the velocity over training: its peak and what explains it, its early share, when it settles."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from .curves import NORMAL, Curve, read_curve, read_pair_rate, read_velocity, smooth
from .finding import Finding, RunFindings
from .peaks import Peak, find_peak


def find_velocity(table: pd.DataFrame, k: int, layer: str) -> RunFindings:
    """Findings of the velocity curve; it must have at least 3 checkpoints."""
    velocity = read_velocity(table, k, layer)
    naive = read_curve(table, "naive_velocity", k, layer)
    naive = naive.keep(naive.values > 0)
    peak = find_peak(velocity)
    naive_peak = find_peak(naive) if len(naive) > 2 else None
    found = {
        ("peak_step", k): Finding(peak.step, peak.step_low, peak.step_high, peak.called),
        ("peak_ratio", k): Finding(peak.ratio, peak.low, peak.high, peak.called, _tell_peak(peak, k)),
        ("early_share", k): _early_share(velocity, k),
        ("half_life", k): Finding(*velocity.estimate(lambda values: _half_life(velocity.steps, values), "logit")),
        ("stabilisation_step", k): _stabilisation(velocity, k),
        ("peak_explained_by", k): _explain(table, velocity, peak, naive_peak, k, layer),
    }
    if naive_peak:
        found["naive_peak_ratio", k] = Finding(naive_peak.ratio, naive_peak.low, naive_peak.high, naive_peak.called)
    return found


def _tell_peak(peak: Peak, k: int) -> str:
    if peak.called:
        return (
            f"H{k} velocity at constant lag has a peak at step {peak.step:.0f}: {peak.ratio:.2f} x its last-half "
            f"median (95 %: {peak.low:.2f} to {peak.high:.2f}, p = {peak.p:.2g})."
        )
    bounds = f"95 %: {peak.low:.2f} to {peak.high:.2f}" if math.isfinite(peak.low) else "no interval"
    return (
        f"H{k} velocity at constant lag is highest at step {peak.step:.0f}, {peak.ratio:.2f} x its last-half median "
        f"({bounds}, p = {peak.p:.2g}): no peak is called, which takes a lower bound above 1, p < 0.05 and a descent."
    )


def _explain(
    table: pd.DataFrame, velocity: Curve, peak: Peak, naive_peak: Peak | None, k: int, layer: str
) -> Finding:  # fmt: skip
    """What a peak is an artefact of, if of anything: the tag `peak_explained_by_H<k>`."""
    if not peak.called:
        if naive_peak is None or not naive_peak.called:
            return Finding(math.nan, label="no_peak", sentence=f"Nor is one called in the naive H{k} velocity.")
        return Finding(
            math.nan, label="schedule",
            sentence=f"The naive H{k} velocity, {naive_peak.ratio:.1f} x its last-half median at step "
            f"{naive_peak.step:.0f}, is explained by the schedule: it divides by the steps between checkpoints, which "
            "lie closer early in the run.",
        )  # fmt: skip
    change = read_curve(table, "distance_change", -1, layer)
    change = change.keep(np.isin(change.steps, velocity.steps) & (change.values > 0))
    if not np.array_equal(change.steps, velocity.steps):
        sentence = (
            f"Whether the points only moved further at the H{k} peak is unknown: no distance change was measured."
        )
        return Finding(math.nan, called=True, label="unknown", sentence=sentence)
    if find_peak(velocity.divide(change)).called:
        return Finding(
            math.nan, called=True, label="nothing",
            sentence=f"The H{k} peak stays when divided by how far the distances moved: it is a change of shape beyond "
            "the size of the movement.",
        )  # fmt: skip
    rate = read_pair_rate(table, k, layer)
    rate = rate.keep(np.isin(rate.steps, velocity.steps)) if rate else None
    if rate and np.ptp(rate.values) > 0 and rate.values.min() > 0 and not find_peak(velocity.divide(rate)).called:
        return Finding(
            math.nan, called=True, label="learning_rate",
            sentence=f"The H{k} peak is gone when divided by the distance change or by the learning rate: the "
            "learning-rate schedule explains it.",
        )  # fmt: skip
    return Finding(
        math.nan, called=True, label="displacement",
        sentence=f"The H{k} peak is gone when divided by the distance change: the points moved further there, not "
        "otherwise.",
    )  # fmt: skip


def _every_step(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The path length covered up to each optimizer step: the integral of the curve by trapezoids."""
    dense = np.interp(np.arange(steps[0], steps[-1] + 1), steps, values)
    return np.concatenate([[0.0], np.cumsum((dense[1:] + dense[:-1]) / 2)])


def _early_share(velocity: Curve, k: int) -> Finding:
    def share(values: np.ndarray) -> float:
        covered = _every_step(velocity.steps, values)
        return float(np.interp((len(covered) - 1) / 10, np.arange(len(covered)), covered) / covered[-1])

    value, low, high = velocity.estimate(share, "logit")
    called = low > 0.1 * (1 + 1e-9)  # a constant velocity gives 0.1 up to rounding
    return Finding(
        value, low, high, bool(called),
        f"{100 * value:.1f} % of the H{k} path lies in the first tenth of the steps"
        + (f" (95 %: {100 * low:.1f} to {100 * high:.1f}; 10 is nothing special)." if math.isfinite(low) else "."),
    )  # fmt: skip


def _half_life(steps: np.ndarray, values: np.ndarray) -> float:
    covered = _every_step(steps, values)
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
    room = math.hypot(math.log(high / low) / 2 if math.isfinite(low) else 0.0, NORMAL * spread)
    outside = np.flatnonzero(np.abs(np.log(smoothed / center)) > room)
    first = outside[-1] + 1 if len(outside) else 0
    if first >= len(velocity):
        return Finding(math.nan, sentence=f"H{k} velocity had not settled at the end.")
    step = float(velocity.steps[first])
    if first == 0:
        return Finding(step, sentence=f"H{k} velocity stays at its late level from the start.")
    return Finding(step, called=True, sentence=f"H{k} velocity stays at its late level from step {step:.0f} on.")
