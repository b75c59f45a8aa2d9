"""Series whose neighbours are alike: how alike, from runs of consecutive values, and random ones that are as alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

COEFFICIENTS = np.linspace(0.0, 0.98, 50)
"""Of a first-order autoregression, from one step to the next, that are considered."""
_JITTER = 1e-9
"""Keeps a correlation matrix that is almost singular positive definite."""
_KEPT = 2000
"""Factors that are kept: curves and runs of one schedule need the same ones, fifty each."""

Series = tuple[np.ndarray, np.ndarray]
"""(n,) steps and (n,) values."""


def correlate(steps: np.ndarray, coefficient: float) -> np.ndarray:
    """(n, n) correlations of a first-order autoregression at some steps: `coefficient ** |s - t|`."""
    distances = np.abs(np.subtract.outer(steps, steps)).astype(float)
    return np.where(distances == 0, 1.0, coefficient**distances)


def weigh_coefficients(runs: Sequence[Series]) -> np.ndarray:
    """How plausible each of `COEFFICIENTS` is, given runs of values that each have a mean of their own.

    The restricted likelihood, so that a run's own mean costs no bias, with the scale of the values integrated out
    (Harville, 1974, doi:10.1093/biomet/61.2.383), times the reference prior of a stationary autoregression,
    1 / sqrt(1 - a^2) (Berger and Yang, 1994, doi:10.1017/S026646660000863X).

    Args:
        runs: series with the same coefficient and the same scale; those of one value tell nothing.

    Returns:
        Weights that sum to 1; those of the prior if no run has two values, or none varies.
    """
    logs = -0.5 * np.log1p(-(COEFFICIENTS**2))
    alike: dict[tuple[int, ...], list[np.ndarray]] = {}
    for steps, values in runs:
        if len(values) > 1:
            alike.setdefault(tuple((steps - steps[0]).tolist()), []).append(values)
    stacked = {steps: np.stack(group) for steps, group in alike.items()}
    if any(np.ptp(group, axis=1).max() > 0 for group in stacked.values()):
        logs += [_restricted_likelihood(stacked, float(coefficient)) for coefficient in COEFFICIENTS]
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _restricted_likelihood(runs: dict[tuple[int, ...], np.ndarray], coefficient: float) -> float:
    """Its logarithm, up to a constant; (m, n) values of the runs that have the same steps from their first on."""
    squares, determinant, freedom = 0.0, 0.0, 0
    for steps, values in runs.items():
        contrasts, factor, logs = _factorize_contrasts(steps, coefficient)
        squares += float((np.linalg.solve(factor, contrasts.T @ values.T) ** 2).sum())
        determinant += len(values) * 2 * logs
        freedom += len(values) * len(factor)
    return -0.5 * determinant - 0.5 * freedom * math.log(squares)


@lru_cache(maxsize=_KEPT)
def _factorize_contrasts(steps: tuple[int, ...], coefficient: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Contrasts of values at some steps, the Cholesky factor of their covariance, the logarithms of its diagonal."""
    contrasts = _contrasts(len(steps))
    factor = _factorize(contrasts.T @ correlate(np.array(steps), coefficient) @ contrasts)
    return contrasts, factor, float(np.log(np.diag(factor)).sum())


@lru_cache(maxsize=_KEPT)
def _factorize_means(members: tuple[tuple[int, ...], ...], coefficient: float) -> np.ndarray:
    """The Cholesky factor of the covariance of means over steps."""
    each = [np.array(steps) for steps in members]
    steps = np.unique(np.concatenate(each))
    means = np.array([np.isin(steps, one) / len(one) for one in each])
    return _factorize(means @ correlate(steps, coefficient) @ means.T)


def _factorize(covariance: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.cholesky(covariance + _JITTER * np.eye(len(covariance))))


def _contrasts(count: int) -> np.ndarray:
    """(count, count - 1) orthonormal columns that are orthogonal to the constant."""
    basis = np.eye(count)
    basis[:, 0] = 1.0
    return np.asarray(np.linalg.qr(basis)[0][:, 1:])


def draw_series(members: Sequence[np.ndarray], weights: np.ndarray, count: int) -> np.ndarray:
    """Random series without a trend whose neighbours are as alike as those that `weights` were found from.

    Each has a coefficient of its own, drawn by the weights: that it is not known exactly widens what chance can do.

    Args:
        members: for each of n values the steps that it is the mean over.
        weights: of `COEFFICIENTS`.
        count: of series.

    Returns:
        (count, n), in units of the spread at a single step; the same for the same arguments.
    """
    rng = np.random.default_rng(0)
    schedule = tuple(tuple(each.tolist()) for each in members)
    drawn = []
    for coefficient, times in zip(COEFFICIENTS, rng.multinomial(count, weights), strict=True):
        if times:
            drawn.append(rng.normal(size=(times, len(members))) @ _factorize_means(schedule, float(coefficient)).T)
    return np.vstack(drawn)
