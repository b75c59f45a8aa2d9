"""Controls of what is compared with step 0: topology divergence, and whether anything changed."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from src.statistics.paired import paired_energy_p
from src.topology import compute_diagram, diagram_distance
from src.topology.distances import median_distance, pairwise_distances
from src.topology.rtd import divergence_bars

from . import plant
from .answer import Answer, Results, at_least, at_most, mean_within

DRAWS = 4
"""Smooth movements of the same size that a planted one is compared with."""


def bars_between(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return divergence_bars(pairwise_distances(before), pairwise_distances(after))


def few_bars_trial(rng: np.random.Generator, kind: str) -> dict[str, float]:
    """Divergence, and the share of its longest bar, over those of smooth movements with the same distance change."""
    x, way = plant.FEW_BARS[kind](rng)
    seen = bars_between(x, plant.step(x, way))
    smooth = [bars_between(x, plant.step(x, plant.smooth_direction(x, rng))) for _ in range(DRAWS)]
    return {
        "sum": float(seen.sum() / np.mean([bars.sum() for bars in smooth])),
        "share": float(seen.max() / seen.sum() / np.mean([bars.max() / bars.sum() for bars in smooth])),
    }


def judge_few_bars(results: Results) -> Iterator[Answer]:
    """The divergence is that of few bars; that it is no larger than by chance is reported."""
    yield mean_within(results["share"], 2, math.inf, "share of the longest bar, over that in smooth movement")
    mean = float(results["sum"].mean())
    yield Answer(f"divergence over that of smooth movement {mean:.2f} (reported)", True, refuted=False)


def same_shape_trial(rng: np.random.Generator, kind: str) -> dict[str, float]:
    """What divergence makes of two clouds with the same diagram, and W1, of points that only jitter and of these."""
    x, moved = plant.SAME_SHAPE[kind](rng)
    jittered = x + 0.01 * plant.cloud(rng, *x.shape)
    shapes = [compute_diagram(cloud / median_distance(pairwise_distances(cloud))) for cloud in (x, moved)]
    bars = bars_between(x, moved)
    return {
        "longest": float(bars.max() / bars_between(x, jittered).max()),
        "divergence": float(bars.sum() / 2),
        "w1": sum(diagram_distance(shapes[0], shapes[1], k) for k in (0, 1)),
    }


def judge_same_shape(results: Results) -> Iterator[Answer]:
    yield mean_within(results["divergence"] / results["w1"], 2, math.inf, "divergence over W1 of H0 and H1")
    yield mean_within(results["longest"], 10, math.inf, "longest bar, over that of points that jitter")


def read(rng: np.random.Generator, x: np.ndarray, error: float) -> np.ndarray:
    """The points with errors, relative to the length of each, and larger in some coordinates than in others."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True) / math.sqrt(x.shape[1])
    return np.asarray(x + error * lengths * plant.cloud(rng, *x.shape))


def p_between(before: np.ndarray, after: np.ndarray) -> float:
    return paired_energy_p(pairwise_distances(np.vstack([before, after])))


def unchanged_trial(rng: np.random.Generator) -> dict[str, float]:
    x, _ = plant.clustered(rng, 256, 128)
    return {f"p_{error:g}": p_between(read(rng, x, error), read(rng, x, error)) for error in (1e-6, 1e-2)}


def judge_unchanged(results: Results) -> Iterator[Answer]:
    for name, p in results.items():
        yield at_most({"called": p < 0.05}, "called", 0.07, f"p < 0.05 with relative errors of {name[2:]}")


def changed_trial(rng: np.random.Generator) -> dict[str, float]:
    """A change within errors about as large as itself."""
    x, labels = plant.clustered(rng, 256, 128)
    ways = {"smooth field": plant.smooth_direction(x, rng), "contraction": plant.contraction(x, labels)}
    return {name: p_between(read(rng, x, 0.003), read(rng, plant.step(x, way), 0.003)) for name, way in ways.items()}


def judge_changed(results: Results) -> Iterator[Answer]:
    for name, p in results.items():
        yield at_least({"called": p < 0.05}, "called", 0.95, f"{name}: p < 0.05")
