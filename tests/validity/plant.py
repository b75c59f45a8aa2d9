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


def moving_cluster(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Eight clusters, and a movement of one of them as a whole."""
    x, labels = clustered(rng, 256, 128, size=32)
    return x, np.where((labels == 0)[:, None], rng.normal(size=128), 0.0)


def opening_loop(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A loop, and a movement that opens it at one place."""
    angle = rng.uniform(-np.pi, np.pi, size=256)
    x = np.hstack([4 * np.column_stack([np.cos(angle), np.sin(angle)]), np.zeros((256, 126))])
    x += 0.3 * rng.normal(size=x.shape)
    # The arc shrinks: a gap opens at its two ends, everywhere else neighbours move alike.
    tangent = np.column_stack([-np.sin(angle), np.cos(angle)])
    return x, np.hstack([-angle[:, None] * tangent, np.zeros((256, 126))])


FEW_BARS = {"cluster": moving_cluster, "loop": opening_loop}
"""Structure that few bars see, by kind: a cloud and the direction in which its points go."""


def changing_neighbour(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Four clusters before and after one of them went, as a whole, from one neighbour to another, as far away."""
    labels, spread = np.arange(256) // 64, 0.5 * cloud(rng, 256, 128)
    places = np.zeros((2, 4, 128))
    places[:, 1:, 0], places[:, 3, 1] = (12, 60, 36), 60
    places[1, 0, 0] = 72  # from 12 before the second cluster to 12 behind the third
    return places[0][labels] + spread, places[1][labels] + spread


def moving_gap(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An open loop before and after its gap went to the other side."""
    angle, noise = 2 * np.pi * rng.random(256), 0.05 * cloud(rng, 256, 128)
    clouds = []
    for place in (0.0, np.pi):
        turned = (angle - place + np.pi) % (2 * np.pi) - np.pi
        at = place + np.sign(turned) * (0.75 + np.abs(turned) * (1 - 0.75 / np.pi))
        clouds.append(np.hstack([4 * np.column_stack([np.cos(at), np.sin(at)]), np.zeros((256, 126))]) + noise)
    return clouds[0], clouds[1]


SAME_SHAPE = {"cluster": changing_neighbour, "loop": moving_gap}
"""Two clouds of the same points with about the same diagram, by kind."""


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
