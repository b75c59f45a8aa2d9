"""How far an estimate may be off, from its values on random halves of the probes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import stats

from . import CONFIDENCE

Scale = Literal["log", "logit", "plain"]
"""Where errors are alike: lengths and ratios on the log scale, shares on the logit, signed numbers as they are."""
_FORTH: dict[Scale, Callable[[np.ndarray], np.ndarray]] = {
    "log": np.log, "logit": lambda x: np.log(x) - np.log1p(-x), "plain": lambda x: x,
}  # fmt: skip
_BACK: dict[Scale, Callable[[float], float]] = {
    "log": math.exp, "logit": lambda y: 1 / (1 + math.exp(-y)), "plain": lambda y: y,
}  # fmt: skip


def transform(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Values on a scale; not finite where they do not exist there."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _FORTH[scale](np.asarray(values, dtype=np.float64))


def interval(
    value: float, halves: np.ndarray, scale: Scale = "log", extra_half_width: float = 0.0
) -> tuple[float, float]:
    """95 % bounds of a full-sample value from its values on subsamples.

    The halves are no bounds themselves: a sum over half of the points is another sum. Their spread says how uncertain
    the full value is: random halves of N without replacement spread like whole new samples of N (Politis, Romano and
    Wolf, 1999, with m = N / 2: sqrt(m / (N - m)) = 1).

    Args:
        value: from all probes.
        halves: (B,) from random halves.
        scale: where the spread is taken.
        extra_half_width: half-width from another source, on that scale, added in squares.

    Returns:
        Lower and upper bound; NaN where a value does not exist on the scale, or is missing.
    """
    if len(halves) < 2:
        return math.nan, math.nan
    center, errors = float(transform(np.asarray(value), scale)), transform(halves, scale)
    if not np.isfinite(errors).all():
        return math.nan, math.nan
    half_width = math.hypot(quantile(len(halves)) * float(np.std(errors, ddof=1)), extra_half_width)
    if not (math.isfinite(center) and math.isfinite(half_width)):
        return math.nan, math.nan
    return _BACK[scale](center - half_width), _BACK[scale](center + half_width)


def quantile(count: int) -> float:
    """Two-sided 95 % quantile of Student's t for a spread estimated from `count` values."""
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))


def prediction_interval(draws: np.ndarray) -> tuple[float, float]:
    """Where one more positive draw would lie in 95 %: on the log scale, Student t, with the error of the mean."""
    logs = np.log(draws)
    half_width = quantile(len(logs)) * logs.std(ddof=1) * math.sqrt(1 + 1 / len(logs))
    return math.exp(logs.mean() - half_width), math.exp(logs.mean() + half_width)


def prediction_p(value: float, draws: np.ndarray) -> float:
    """Two-sided p that `value` is one more of the draws, matching `prediction_interval`."""
    logs = np.log(draws)
    error = logs.std(ddof=1) * math.sqrt(1 + 1 / len(logs))
    distance = abs(math.log(value) - logs.mean())
    if not error:
        return 1.0 if distance == 0 else 0.0
    return float(2 * stats.t.sf(distance / error, len(logs) - 1))
