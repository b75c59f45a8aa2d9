"""Movement by chance: the same cloud, its points moved at random, its distances changed by the same amount.

Two families, because each answers another question. `smooth`, the one that counts: near points of a cloud move alike
when a model is trained, so the surrogates are as smooth as the movement was; only its arrangement over the cloud is
random. `independent`: every point moves for itself; a movement that is merely smooth differs from these, too. Both keep
the lengths and the covariance of the movement that was seen (without the rotation and scaling that exceed chance, see
`nonrigid_movement`).
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal

import numpy as np
from numba import njit

from ..metrics.table import MAX_DISTANCE_CHANGE
from ..topology.distances import condense, expand, median

Family = Literal["smooth", "independent"]
FAMILIES: tuple[Family, ...] = ("smooth", "independent")
NEIGHBOUR = 7
"""The neighbour whose distance is a point's own unit of nearness (Zelnik-Manor and Perona, NIPS 2004)."""
MIN_DISTANCE_CHANGE = 1e-6
"""Distance change that rounding of float32 activations makes by itself."""
TINY = 1e-150
_CLOSE_ENOUGH = 1e-3
"""Relative error of a draw's distance change."""


def is_defined(change: float) -> bool:
    """Whether there is a null for this distance change."""
    return MIN_DISTANCE_CHANGE <= change < MAX_DISTANCE_CHANGE


def graph_frequencies(squared: np.ndarray) -> np.ndarray:
    """Eigenvectors of the normalised Laplacian of a cloud's neighbourhood graph: from smooth to rough fields over it.

    Weights are `exp(-d_ij^2 / (h_i h_j))`, h the distance to the 7th neighbour, and 0 of a point with itself.

    Args:
        squared: (N, N) squared distances.

    Returns:
        float32 (N, N), an orthonormal basis in its columns.
    """
    place = min(NEIGHBOUR, len(squared) - 1)  # place 0 is the point itself
    nearness = np.sqrt(np.partition(squared, place, axis=1)[:, place])
    # Points that coincide with their seventh neighbour have no unit of their own.
    nearness = np.maximum(nearness, 1e-6 * float(nearness.max()) + TINY)
    weights = np.exp(-squared / np.multiply.outer(nearness, nearness))
    np.fill_diagonal(weights, 0)
    scale = 1 / np.sqrt(np.maximum(weights.sum(axis=1), TINY))
    return np.asarray(np.linalg.eigh(-weights * np.multiply.outer(scale, scale))[1], dtype=np.float32)


def draw_movement(seen: np.ndarray, family: Family, basis: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One random movement with the row lengths of the one that was seen.

    `smooth`: the energy at each graph frequency is kept, its sign drawn. `independent`: random Gaussian combinations of
    the rows.

    Args:
        seen: (N, q) of `nonrigid_movement`.
        basis: (N, N) of `graph_frequencies`; used by `smooth` alone.

    Returns:
        float32 (N, q), in the coordinates of `seen`.
    """
    movement = seen.astype(np.float32)
    if family == "smooth":
        signs = np.where(rng.random(len(seen)) < 0.5, np.float32(-1), np.float32(1))
        rows = basis @ (signs[:, None] * (basis.T @ movement))
        rows -= rows.mean(axis=0)
    else:
        rows = rng.standard_normal((len(seen), len(seen)), np.float32) @ movement
    lengths = np.linalg.norm(rows, axis=1)
    return np.asarray(rows * (np.linalg.norm(movement, axis=1) / np.where(lengths > 0, lengths, 1))[:, None])


@njit(cache=True, nogil=True)
def _coefficients(cross, gram):  # type: ignore[no-untyped-def]
    """Linear and quadratic coefficients of |x_i + t p_i - x_j - t p_j|^2, i < j in a row; products x p' and p p'."""
    n = len(cross)
    linear, square = np.empty(n * (n - 1) // 2), np.empty(n * (n - 1) // 2)
    at = 0
    for i in range(n):
        for j in range(i + 1, n):
            linear[at] = 2.0 * (np.float64(cross[i, i]) + cross[j, j] - cross[i, j] - cross[j, i])
            square[at] = np.float64(gram[i, i]) + gram[j, j] - 2.0 * gram[i, j]
            at += 1
    return linear, square


def squared_distances(distances: np.ndarray, *, cosine: bool) -> np.ndarray:
    """Of points on the unit sphere, where distances are one minus the cosine, else of the points themselves."""
    return 2 * distances if cosine else distances**2


class ReferenceCloud:
    """A cloud that is about to move, seen through its distances."""

    def __init__(self, distances: np.ndarray, base: np.ndarray, *, cosine: bool = False) -> None:
        """
        Args:
            distances: (N, N) of the cloud.
            base: (N, r) its coordinates; of unit length if `cosine`.
        """
        self.base, self.cosine = base, cosine
        self.squared = condense(squared_distances(distances, cosine=cosine))
        # Squared distances along a walk are a quadratic in its length. The constant is exact, so that a short one loses
        # nothing; float32 is enough for the coefficients, and twice as fast.
        self.flat = (base if cosine else base - base.mean(axis=0)).astype(np.float32)

    def perturb(self, movement: np.ndarray) -> RandomPerturbation:
        """Along a float32 (N, q) movement, q >= r."""
        return RandomPerturbation(self, movement)

    @cached_property
    def scaled(self) -> tuple[np.ndarray, float]:
        """The distances i < j in a row, in units of the cloud's scale, and their norm."""
        row = self.squared / 2 if self.cosine else np.sqrt(self.squared)
        row /= median(row)
        return row, float(np.linalg.norm(row))


class RandomPerturbation:
    """A cloud whose points move by t times a random movement."""

    def __init__(self, start: ReferenceCloud, movement: np.ndarray) -> None:
        self.start, self.movement = start, movement
        cross, gram = start.flat @ movement[:, : start.flat.shape[1]].T, movement @ movement.T
        self.linear, self.square = _coefficients(cross, gram)
        self.norms = [np.diagonal(products).astype(np.float64) for products in (cross, gram)]

    def distances(self, t: float) -> np.ndarray:
        """The distances i < j, in a row."""
        squared = self.start.squared + t * (self.linear + t * self.square)
        if not self.start.cosine:
            return np.sqrt(np.maximum(squared, 0))
        own, far = self.norms
        lengths = 1 + t * (2 * own + t * far)
        sums, products = condense(np.add.outer(lengths, lengths)), condense(np.multiply.outer(lengths, lengths))
        return np.maximum(1 - (sums - squared) / (2 * np.sqrt(products)), 0)

    def points(self, t: float) -> np.ndarray:
        """(N, q) the moved points themselves."""
        moved = t * self.movement.astype(np.float64)
        moved[:, : self.start.base.shape[1]] += self.start.base
        return moved

    def step_to_change(self, change: float, start: float = 1.0) -> tuple[float, np.ndarray, float] | None:
        """How far to walk until the scale-normalised distances have changed by `change`, relative to what they were.

        Returns:
            t, the (N, N) distances there and their scale; None if there is no such t nearby.
        """
        before, size = self.start.scaled
        t, last = start, (0.0, 0.0)
        for _ in range(20):
            after = self.distances(t)
            scale = median(after)
            found = float(np.linalg.norm(after / scale - before)) / size
            if abs(found / change - 1) < _CLOSE_ENOUGH:
                return t, expand(after), scale
            if not found > 0:
                return None
            # Newton's method on logarithms, the slope from the last two points: the change grows like a power of t.
            logs = math.log(t), math.log(found)
            slope = (logs[1] - last[1]) / (logs[0] - last[0]) if last != (0.0, 0.0) and logs[0] != last[0] else 1.0
            t, last = t * (change / found) ** (1 / min(2.0, max(0.5, slope))), logs
        return None
