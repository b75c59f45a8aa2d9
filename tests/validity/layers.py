"""Controls of what goes on from layer to layer: a layer where much is born, a loop that closes at a layer, neither."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from src.topology.distances import pairwise_distances
from src.topology.zigzag import births_frequency, effective_image, neighbor_graph, zigzag_bars

from . import plant
from .answer import Answer, Results, at_least, mean_within

LAYERS, POINTS, WIDTH, NEIGHBORS = 8, 128, 64, 4
MOVE = 0.05
"""How far each point goes from one layer to the next, relative to its spread."""


def bars_of(clouds: Sequence[np.ndarray]) -> np.ndarray:
    return zigzag_bars([neighbor_graph(pairwise_distances(cloud), NEIGHBORS) for cloud in clouds])


def moving(rng: np.random.Generator, x: np.ndarray) -> list[np.ndarray]:
    """The points of all layers; each moves a little on its own from layer to layer."""
    clouds = [x]
    for _ in range(LAYERS - 1):
        clouds.append(clouds[-1] + MOVE * plant.cloud(rng, *x.shape))
    return clouds


def birth_trial(rng: np.random.Generator, planted: bool) -> dict[str, float]:
    """Where most loops are born after the first layer, which is where all those begin that it has itself.

    Planted: from a layer on half of the points have changed places with each other.
    """
    clouds, at = moving(rng, plant.cloud(rng, POINTS, WIDTH)), int(rng.integers(2, LAYERS - 1))
    if planted:
        order = np.concatenate([rng.permutation(POINTS // 2), np.arange(POINTS // 2, POINTS)])
        clouds[at:] = [cloud[order] for cloud in clouds[at:]]
    births = births_frequency(effective_image(bars_of(clouds), LAYERS, 1))[1:]
    return {"found": float(births.argmax() + 1 == at), "most": float(births.max() / np.median(births))}


def judge_birth(results: Results) -> Iterator[Answer]:
    yield at_least(results, "found", 0.95, "most loops born at the planted layer")
    yield mean_within(results["most"], 2, math.inf, "births there, over those of the median layer")


def judge_no_birth(results: Results) -> Iterator[Answer]:
    yield mean_within(results["most"], 0, 1.5, "most births at a layer, over those of the median layer")


def ring(rng: np.random.Generator, closed: bool) -> np.ndarray:
    """Points of a circle, or of half of it, with little noise."""
    angle = np.linspace(0, 2 * np.pi if closed else np.pi, POINTS // 2, endpoint=not closed)
    x = 0.002 * rng.normal(size=(len(angle), WIDTH))
    x[:, 0] += np.cos(angle)
    x[:, 1] += np.sin(angle)
    return x


def closing_trial(rng: np.random.Generator) -> dict[str, float]:
    """Loops that are born where an arc is closed and last to the end, beyond those of the same points left open."""
    at = int(rng.integers(2, LAYERS - 2))
    beside = moving(rng, plant.cloud(rng, POINTS // 2, WIDTH) + 100)
    counts = []
    for closes in (True, False):
        clouds = [np.vstack([ring(rng, closes and n >= at), others]) for n, others in enumerate(beside)]
        counts.append(effective_image(bars_of(clouds), LAYERS, 1)[at, LAYERS])
    return {"found": float(counts[0] == counts[1] + 1)}


def judge_closing(results: Results) -> Iterator[Answer]:
    yield at_least(results, "found", 0.95, "one loop more is born at the planted layer and lasts to the end")
