"""Does a curve rise and fall, or only fall, more than the autocorrelation between its steps makes it?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..statistics import ALPHA
from .chance import probability
from .curves import Curve, smooth

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
    rise: float
    """of that value to the median of what lies before it; NaN where nothing does"""
    rise_low: float
    p: float
    called: bool


@dataclass(frozen=True)
class Decline:
    ratio: float
    """of the median of the first tenth of the steps to that of the last half; NaN where one of them is empty"""
    low: float
    high: float
    p: float
    called: bool


def find_peak(curve: Curve, chance: np.ndarray | None) -> Peak:
    """The highest point of the smoothed curve; called a peak only if it rises and falls, and not by chance.

    It is called if the lower bounds over the median of what lies before it and over that of the last half both exceed
    1, probe and step noise together, and fewer than 5 % of the series of `draw_chance` rise and fall as far.
    """
    place, late = int(np.argmax(smooth(curve.values))), curve.late

    def fall(values: np.ndarray) -> np.ndarray:
        return _ratio(smooth(values)[..., place], np.median(values[..., late], axis=-1))

    def rise(values: np.ndarray) -> np.ndarray:
        return _ratio(smooth(values)[..., place], np.median(values[..., :place], axis=-1))

    def step(values: np.ndarray) -> np.ndarray:
        return np.asarray(curve.steps[np.argmax(smooth(values), axis=-1)])

    ratio, low, high = curve.estimate(fall, "log")
    risen, risen_low, _ = curve.estimate(rise, "log") if place else (math.nan, math.nan, math.nan)
    at, first, last = curve.estimate(step, "plain")
    p = probability(chance, curve, lambda logs: _rise_and_fall(np.atleast_2d(logs), late))
    called = bool(low > 1 and risen_low > 1 and p < ALPHA and place < len(curve) - 1)
    span = float(curve.steps[0]), float(curve.steps[-1])
    return Peak(at, _within(first, span), _within(last, span), ratio, low, high, risen, risen_low, p, called)


def _rise_and_fall(logs: np.ndarray, late: np.ndarray) -> np.ndarray:
    """(P,) how far (P, n) series rise to their highest smoothed value and fall from it, the lesser of both.

    Minus infinity for those that are highest at an end.
    """
    smoothed = smooth(logs)
    places = smoothed.argmax(axis=-1)
    found = np.full(places.shape, -np.inf)
    for place in range(1, logs.shape[-1] - 1):
        here = places == place  # the medians of the others are not asked for
        before = np.maximum(np.median(logs[here, :place], axis=-1), np.median(logs[here][..., late], axis=-1))
        found[here] = smoothed[here, place] - before
    return found


def measure_height(curve: Curve) -> tuple[float, float, float]:
    """How far the smoothed curve rises to a place between its ends and falls from it, the lesser of both; its bounds.

    At the best place: over the median of what lies before it and over that of the last half.
    """
    late = curve.late

    def height(values: np.ndarray) -> np.ndarray:
        falls = np.median(values[..., late], axis=-1)
        levels = [
            np.maximum(np.median(values[..., :place], axis=-1), falls) for place in range(1, values.shape[-1] - 1)
        ]
        return np.asarray(_ratio(smooth(values)[..., 1:-1], np.stack(levels, axis=-1)).max(axis=-1))

    return curve.estimate(height, "log")


def find_decline(curve: Curve, chance: np.ndarray | None) -> Decline:
    """How much higher the curve begins than it ends; called if the bound exceeds 1 and chance makes no such trend.

    A trend is what Mann and Kendall count (Mann, 1945, doi:10.2307/1907187): over all pairs of checkpoints, those of
    which the later is lower, less the others. It takes no spread, which twenty values tell only roughly.
    """
    early, late = curve.early, curve.late
    if not (early.any() and late.any()):
        return Decline(math.nan, math.nan, math.nan, 1.0, called=False)

    def fall(values: np.ndarray) -> np.ndarray:
        return _ratio(np.median(values[..., early], axis=-1), np.median(values[..., late], axis=-1))

    ratio, low, high = curve.estimate(fall, "log")
    p = probability(chance, curve, _count_falls)
    return Decline(ratio, low, high, p, called=bool(low > 1 and p < ALPHA))


def _count_falls(values: np.ndarray) -> np.ndarray:
    """Of (..., n) curves the pairs of places of which the later is lower, less those of which it is higher."""
    falls = np.zeros(values.shape[:-1], dtype=int)
    for place in range(values.shape[-1] - 1):
        here, later = values[..., place, None], values[..., place + 1 :]
        falls += (here > later).sum(axis=-1) - (here < later).sum(axis=-1)
    return falls


def _ratio(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """NaN where there is no level: on half of the points nothing may have moved."""
    return np.asarray(values / np.where(levels > 0, levels, np.nan))


def _within(step: float, span: tuple[float, float]) -> float:
    return min(max(step, span[0]), span[1]) if math.isfinite(step) else math.nan
