"""Is there a peak? The highest value against the last half, and whether its neighbourhood is high by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..statistics import ALPHA
from .curves import Curve, smooth

PERMUTATIONS = 1999
MIN_CHECKPOINTS = 6
"""Checkpoints below which no permutation of them can be significant."""

Explanation = Literal["no_peak", "schedule", "unknown", "nothing", "learning_rate", "displacement"]
"""What a peak is an artefact of; `nothing`: it is a change of shape; `schedule`: only the naive velocity has one."""


@dataclass(frozen=True)
class Peak:
    step: float
    step_low: float
    step_high: float
    ratio: float
    """of the smoothed curve's highest value to the median of its last half"""
    low: float
    high: float
    p: float
    called: bool


def find_peak(curve: Curve) -> Peak:
    """The highest point of the smoothed curve; called a peak only where chance does not make it.

    It is called if the lower bound of the ratio exceeds 1, probe and step noise together, and the curve is high around
    it in fewer than 5 % of the permutations of its independent values (a maximum always exceeds a median), and it has
    come down again by the end.
    """
    place = int(np.argmax(smooth(curve.values)))
    late = curve.late

    def ratio(values: np.ndarray) -> float:
        smoothed = smooth(values)
        return float(smoothed[place] / np.median(smoothed[late]))

    def step(values: np.ndarray) -> float:
        return float(curve.steps[np.argmax(smooth(values))])

    highest, low, high = curve.estimate(ratio, "log")
    at, first, last = curve.estimate(step, "plain")
    p, window = scan(np.log(curve.own[np.isfinite(curve.own)]))
    inside = np.flatnonzero(np.isfinite(curve.own))[window]
    around = len(inside) > 0 and inside.min() - 1 <= place <= inside.max() + 1
    called = bool(low > 1 and p < ALPHA and around and place < len(curve) - 1)
    span = float(curve.steps[0]), float(curve.steps[-1])
    return Peak(at, _within(first, span), _within(last, span), highest, low, high, p, called)


def _within(step: float, span: tuple[float, float]) -> float:
    return min(max(step, span[0]), span[1]) if math.isfinite(step) else math.nan


def scan(values: np.ndarray) -> tuple[float, np.ndarray]:
    """How seldom random order makes some stretch of a sequence as high as it is; one-sided, by permutation.

    The statistic is the largest standardised mean of a stretch of 2 to n / 2 neighbours (the scan statistic of circular
    binary segmentation, doi:10.1093/biostatistics/kxh008). The highest of running medians cannot serve: the two largest
    of n values meet in one window of three in about 4 / n of all orders, so its p would never be small.

    Returns:
        p, at least 1 / (permutations + 1), and the places of the highest stretch; 1 and none for too short a sequence.
    """
    n = len(values)
    if n < MIN_CHECKPOINTS or np.ptp(values) == 0:
        return 1.0, np.array([], dtype=int)
    rng = np.random.default_rng(0)
    orders = np.vstack([np.arange(n), *(rng.permutation(n) for _ in range(PERMUTATIONS))])
    sums = np.hstack([np.zeros((len(orders), 1)), np.cumsum((values - values.mean())[orders], axis=1)])
    best, window = np.full(len(orders), -np.inf), (0, 0)
    for width in range(2, n // 2 + 1):
        scores = (sums[:, width:] - sums[:, :-width]) / math.sqrt(width * (1 - width / n))
        if scores[0].max() > best[0]:
            start = int(scores[0].argmax())
            window = start, start + width
        best = np.maximum(best, scores.max(axis=1))
    # A tolerance for sums in another order: equal arrangements count as equal.
    p = (best >= best[0] * (1 - 1e-9)).mean()
    return float(p), np.arange(*window)
