"""Pairwise distances without the errors of a plain Gram matrix.

Shapes: N points, D coordinates.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import squareform

METRICS = ("euclidean", "cosine")
_CLOSE = 1e-4
"""Pairs closer than this, relative to the largest norm, are computed by direct differences."""
_PLAIN = (1e-25, 1e25)
"""Magnitudes between which neither a float64 square nor a float32 length comes near the end of its range."""


def pairwise_distances(x: np.ndarray, metric: str = "euclidean") -> np.ndarray:
    """Distances between the rows of `x`.

    The Gram matrix is centred and in float64. What cancels in it, pairs much closer than the cloud is wide, is
    computed again from differences; bitwise-equal rows get exactly 0.

    Args:
        x: (N, D) points, any float type.
        metric: `euclidean`, or `cosine`, one minus the cosine of the angle at the origin.

    Returns:
        float64 (N, N), symmetric, diagonal exactly 0.

    Raises:
        ValueError: if a coordinate is not finite, a row is zero under `cosine`, or the metric is unknown.
    """
    points = np.asarray(x, dtype=np.float64)
    if points.ndim != 2:
        raise ValueError(f"points have shape {points.shape}, expected (N, D)")
    if not np.isfinite(points).all():
        row = int(np.flatnonzero(~np.isfinite(points).all(1))[0])
        raise ValueError(f"point {row} has a coordinate that is not finite")
    if metric == "cosine":
        largest = np.abs(points).max(axis=1, keepdims=True, initial=0.0)
        if not largest.all():
            raise ValueError(f"point {int(largest.argmin())} is zero and has no direction")
        # By powers of two, which rounds nothing: squares of the coordinates as they come could overflow or vanish.
        points = np.ldexp(points, -np.frexp(largest)[1])
        norms = np.linalg.norm(points, axis=1, keepdims=True)
        # On the unit sphere half the squared distance is one minus the cosine, without its cancellation.
        return _euclidean(points / norms) ** 2 / 2
    if metric != "euclidean":
        raise ValueError(f"metric={metric}: use one of {', '.join(METRICS)}")
    return _euclidean(points)


def power_of_two(values: np.ndarray) -> float:
    """A power of two near the largest magnitude, by which values are divided without rounding; 1 for zeros, infinity.

    It is 1 as well where the magnitude is far from what squares can hold: most values need no scaling.
    """
    largest = float(np.abs(values).max(initial=0.0))
    plain = _PLAIN[0] < largest < _PLAIN[1] or largest in (0, np.inf)
    # One less than the exponent: of the largest numbers there are, 2 to the power of theirs would be infinite.
    return 1.0 if plain else float(np.ldexp(0.5, np.frexp(largest)[1]))


def _euclidean(points: np.ndarray) -> np.ndarray:
    unit = power_of_two(points)
    if unit != 1:
        return _euclidean(points / unit) * unit
    centred = points - points.mean(0)
    squares = np.einsum("nd,nd->n", centred, centred)
    squared = squares[:, None] + squares[None, :] - 2 * (centred @ centred.T)
    np.maximum(squared, 0, out=squared)
    squared = (squared + squared.T) / 2
    rows, columns = np.nonzero(np.triu(squared < _CLOSE**2 * squares.max(initial=0), k=1))
    for start in range(0, len(rows), 4096):  # bounded memory where many rows are equal
        i, j = rows[start : start + 4096], columns[start : start + 4096]
        difference = points[i] - points[j]
        squared[i, j] = squared[j, i] = np.einsum("kd,kd->k", difference, difference)
    np.fill_diagonal(squared, 0)
    return np.sqrt(squared)


def median_distance(distances: np.ndarray) -> float:
    """The scale of a cloud: the median of its distances between different rows, i < j."""
    return median(condense(distances))


def condense(matrix: np.ndarray) -> np.ndarray:
    """The upper triangle i < j of a square matrix, in a row."""
    return np.asarray(squareform(matrix, force="tovector", checks=False))


def expand(row: np.ndarray) -> np.ndarray:
    """The symmetric matrix with zero diagonal that `condense` makes the row of."""
    return np.asarray(squareform(row, checks=False))


def median(values: np.ndarray) -> float:
    """As `numpy.median` of finite values in a row, in two thirds of the time."""
    middle = len(values) // 2
    parted = np.partition(values, middle)
    return float(parted[middle] if len(values) % 2 else (parted[middle] + parted[:middle].max()) / 2)
