"""Series whose neighbours are alike: how alike, from runs of consecutive values, and random ones that are as alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

COEFFICIENTS = np.linspace(0.0, 0.98, 50)
"""Of a first-order autoregression, from one step to the next, that are considered."""
_JITTER = 1e-9
"""Keeps a correlation matrix that is almost singular positive definite."""

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
    several = [(steps, values) for steps, values in runs if len(values) > 1]
    if any(np.ptp(values) > 0 for _, values in several):
        logs += [_restricted_likelihood(several, coefficient) for coefficient in COEFFICIENTS]
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _restricted_likelihood(runs: Sequence[Series], coefficient: float) -> float:
    """Its logarithm, up to a constant."""
    squares, determinant, freedom = 0.0, 0.0, 0
    for steps, values in runs:
        contrasts = _contrasts(len(values))
        covariance = contrasts.T @ correlate(steps, coefficient) @ contrasts
        factor = np.linalg.cholesky(covariance + _JITTER * np.eye(len(covariance)))
        whitened = np.linalg.solve(factor, contrasts.T @ values)
        squares += float(whitened @ whitened)
        determinant += 2 * float(np.log(np.diag(factor)).sum())
        freedom += len(covariance)
    return -0.5 * determinant - 0.5 * freedom * math.log(squares)


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
    steps = np.unique(np.concatenate(list(members)))
    means = np.array([np.isin(steps, each) / len(each) for each in members])
    drawn = []
    for coefficient, times in zip(COEFFICIENTS, rng.multinomial(count, weights), strict=True):
        if times:
            covariance = means @ correlate(steps, coefficient) @ means.T
            factor = np.linalg.cholesky(covariance + _JITTER * np.eye(len(covariance)))
            drawn.append(rng.normal(size=(times, len(members))) @ factor.T)
    return np.vstack(drawn)
