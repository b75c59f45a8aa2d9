"""Clouds and movements whose truth is known. N points, D coordinates; nothing here is drawn by the null's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from src.topology.distances import median_distance, pairwise_distances

Move = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""From a cloud to the direction in which each of its points goes."""
CHANGE = 0.003
"""Distance change of one planted step, about what a LoRA step does to a small model."""


def cloud(rng: np.random.Generator, points: int, width: int, fall: float = 0.3) -> np.ndarray:
    """Anisotropic Gaussian: activations have a spectrum that falls; the steeper, the fewer dimensions count."""
    return rng.normal(size=(points, width)) * np.arange(1, width + 1) ** -fall


def clustered(rng: np.random.Generator, points: int, width: int, size: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Points in clusters of `size`, and the cluster of each."""
    labels = np.arange(points) // size
    centers = cloud(rng, labels.max() + 1, width)
    return centers[labels] + 0.5 * cloud(rng, points, width), labels


def step(x: np.ndarray, direction: np.ndarray, change: float = CHANGE) -> np.ndarray:
    """`x` moved along `direction` until its scale-normalised distances have changed by `change`."""
    t = change * np.linalg.norm(x) / np.linalg.norm(direction)
    for _ in range(8):
        t *= change / change_between(x, x + t * direction)
    return np.asarray(x + t * direction)


def change_between(x: np.ndarray, moved: np.ndarray) -> float:
    """The distance change, relative, from one cloud to another of the same rows."""
    before = _shape(x)
    return float(np.linalg.norm(_shape(moved) - before) / np.linalg.norm(before))


def _shape(x: np.ndarray) -> np.ndarray:
    distances = pairwise_distances(x)
    return distances / median_distance(distances)


def random_direction(x: np.ndarray, rng: np.random.Generator, *, rank: int | None, uneven: bool) -> np.ndarray:
    """Every point goes its own way: in all directions, or in `rank` of them; equally far, or some much further."""
    if rank is None:
        ways = rng.normal(size=x.shape)
    else:
        ways = rng.normal(size=(len(x), rank)) @ rng.normal(size=(rank, x.shape[1]))
    lengths = rng.lognormal(sigma=0.7, size=len(x)) if uneven else np.ones(len(x))
    return np.asarray(ways * (lengths / np.linalg.norm(ways, axis=1))[:, None])


def smooth_direction(x: np.ndarray, rng: np.random.Generator, rank: int = 10) -> np.ndarray:
    """A random linear map of low rank of the points' own coordinates: near points move alike, no more."""
    return np.asarray(x @ rng.normal(size=(x.shape[1], rank)) @ rng.normal(size=(rank, x.shape[1])))


def contraction(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Towards the middle of the own cluster."""
    middles = np.stack([x[labels == label].mean(axis=0) for label in np.unique(labels)])
    return np.asarray(middles[labels] - x)


def beside_outliers(
    rng: np.random.Generator, before: np.ndarray, after: np.ndarray, wide: float = 100, jitter: float = 0.001
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Two coordinates more, `wide` x as wide as the others, that only jitter, by that share of their width."""
    outliers = wide * before.std() * rng.normal(size=(len(before), 2))
    moved = outliers + jitter * wide * before.std() * rng.normal(size=outliers.shape)
    return np.hstack([before, outliers]), np.hstack([after, moved])


def attraction(x: np.ndarray) -> np.ndarray:
    """Towards the nearest neighbour."""
    distances = pairwise_distances(x) + np.where(np.eye(len(x), dtype=bool), np.inf, 0)
    return np.asarray(x[distances.argmin(axis=1)] - x)


def captured(checkpoints: Iterable[int], repeats: int = 2, lag: int = 1) -> set[int]:
    return {c + n * lag for c in checkpoints for n in range(repeats + 1)}


def walk(
    rng: np.random.Generator, x: np.ndarray, wanted: set[int], *, rank: int | None = None,
    size: Callable[[int], float] = lambda _: 0.05, extra: Callable[[int, np.ndarray], np.ndarray] | None = None,
) -> dict[int, np.ndarray]:  # fmt: skip
    """A stationary walk, X' = sqrt(1 - a^2) X + a sd Z, seen at the wanted steps.

    A plain random walk would inflate the cloud. Z is white or, with `rank`, of that rank, another one every step.

    Args:
        size: a at each step.
        extra: what happens besides, from step and cloud to the next cloud.
    """
    spread = x.std(axis=0)
    seen = {}
    for at in range(max(wanted) + 1):
        if at in wanted:
            seen[at] = x.astype(np.float32)
        a = size(at)
        z = rng.normal(size=x.shape)
        if rank is not None:
            z = rng.normal(size=(len(x), rank)) @ rng.normal(size=(rank, x.shape[1])) / np.sqrt(rank)
        x = np.sqrt(1 - a * a) * x + a * spread * z
        if extra is not None:
            x = extra(at, x)
    return seen
