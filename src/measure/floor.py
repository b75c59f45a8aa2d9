"""The rounding floor: what the arithmetic of the capture makes of a cloud that does not move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from ..clouds.floor import draw_error
from ..config import TdaConfig
from ..geometry import displacement
from ..metrics.table import Row
from .layer import CheckpointSteps, LayerCheckpoint, compare_steps
from .layer_diagrams import compute_layer_diagram
from .prepared_cloud import PreparedCloud, normalized_diagram, prepare_cloud
from .shape_change import shape_distance

DRAWS = 4
"""Of noise, averaged."""
_STREAM = 1000
"""Of random numbers, apart from those of the null."""


def times_floor(
    clouds: Mapping[int, np.ndarray], lag: int, error: np.ndarray, name: str, tda: TdaConfig, seed: int
) -> float:
    """How many times its rounding floor a layer moved from step 0 to step `lag`: in the dimension where it is least.

    Args:
        clouds: (N, D) of both steps.
        error: (m, D) of `movement_error` between them.
        name: of the layer.
        seed: of the noise.
    """
    diagrams = {step: compute_layer_diagram(cloud, clouds[0], tda) for step, cloud in clouds.items()}
    layer = LayerCheckpoint(CheckpointSteps(0, ((0, lag),), None), name, clouds, diagrams, tda, seed)
    moved = {row.dimension: row.value for row in compare_steps(layer) if row.quantity == "velocity"}
    floors = {row.dimension: row.value for row in measure_floor(layer, error) if row.quantity == "floor/velocity"}
    return min(moved[k] / floors[k] if floors[k] > 0 else math.inf if moved[k] > 0 else 0.0 for k in floors)


def measure_floor(layer: LayerCheckpoint, error: np.ndarray) -> Iterator[Row]:
    """Displacement and velocity per step of the checkpoint's cloud under noise as large as `error`.

    Args:
        error: (m, D) of `movement_error`.
    """
    at, tda = layer.at, layer.tda
    lag = min(b - a for a, b in at.pairs)
    before, own = layer.prepared(at.step), layer.layer_diagrams[at.step]
    moved: list[float] = []
    distances: list[list[float]] = [[] for _ in tda.dimensions]
    for after in _with_noise(layer, at.step, error):
        moved.append(displacement(before.points, after.points, lag))
        diagram = normalized_diagram(after, tda)
        for of_dimension, k in zip(distances, tda.dimensions, strict=True):
            of_dimension.append(shape_distance(own.normalized if own.scale else None, diagram, k) / lag)
    yield Row(at.step, "floor/displacement", float(np.mean(moved)), layer.name)
    for k, values in zip(tda.dimensions, distances, strict=True):
        yield Row(at.step, "floor/velocity", float(np.mean(values)) if values else math.nan, layer.name, k)


def measure_base_floor(layer: LayerCheckpoint, error: np.ndarray) -> Row:
    """Displacement of the base cloud under noise as large as `error`, that of the movement up to the checkpoint.

    Args:
        error: (m, D) of `movement_error` between the origin and the checkpoint.
    """
    at = layer.at
    before = layer.prepared(at.origin).points
    moved = [displacement(before, after.points, lag=1) for after in _with_noise(layer, at.origin, error)]
    return Row(at.step, "floor/base_displacement", float(np.mean(moved)), layer.name)


def _with_noise(layer: LayerCheckpoint, step: int, error: np.ndarray) -> Iterator[PreparedCloud]:
    """The cloud of a step with each draw of noise."""
    cloud, base = layer.clouds[step], layer.clouds[layer.at.origin]
    for draw in range(DRAWS):
        noisy = cloud + draw_error(cloud, error, layer.random(step, _STREAM, draw))
        yield prepare_cloud(noisy, base, layer.tda)
