"""What chance makes of a curve: series without a trend whose neighbouring steps are as alike as those of the curve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..statistics.autocorrelation import draw_series, weigh_coefficients
from .curves import Curve

SERIES = 1999
MIN_CHECKPOINTS = 6
"""Checkpoints below which the spread of a curve is not known well enough to test anything against it."""
_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

SeriesStatistic = Callable[[np.ndarray], np.ndarray]
"""From (..., n) logarithms of a curve's values to (...)."""


def draw_chance(curve: Curve) -> np.ndarray | None:
    """(SERIES, n) logarithms of series without a trend that have the curve's autocorrelation and spread.

    None for a curve that is too short or does not vary.
    """
    if len(curve) < MIN_CHECKPOINTS:
        return None
    spread = _spread(curve.steps, np.log(curve.values))
    if not spread > 0:
        return None
    series = draw_series(curve.members, _weigh(curve), SERIES)
    # In the curve's own spread, measured alike: how wide the values scatter is not known better than that.
    return np.asarray(series * (spread / _spread(curve.steps, series))[:, None])


def probability(series: np.ndarray | None, curve: Curve, statistic: SeriesStatistic) -> float:
    """How seldom series of `draw_chance` reach the curve's statistic: one-sided, at least 1 / (SERIES + 1)."""
    if series is None:
        return 1.0
    reached = statistic(series) >= statistic(np.log(curve.values))
    return float((1 + reached.sum()) / (1 + SERIES))


def _weigh(curve: Curve) -> np.ndarray:
    return weigh_coefficients([(starts, np.log(values)) for starts, values in curve.runs])


def _spread(steps: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Of (..., n) values about the line between their two neighbours, by the median: no course and no burst widens it.

    Pseudo-residuals of Gasser, Sroka and Jennen-Steinmetz (1986, doi:10.1093/biomet/73.3.625).
    """
    before = (steps[2:] - steps[1:-1]) / (steps[2:] - steps[:-2])
    residuals = logs[..., 1:-1] - before * logs[..., :-2] - (1 - before) * logs[..., 2:]
    return np.asarray(_MAD * np.median(np.abs(residuals) / np.sqrt(1 + before**2 + (1 - before) ** 2), axis=-1))
