"""The rounding floor: what the arithmetic of the capture makes of a cloud that does not move."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..clouds.floor import draw_error
from ..geometry import displacement
from ..metrics.table import Row
from .layer import LayerCheckpoint
from .prepared_cloud import normalized_diagram, prepare_cloud
from .shape_change import shape_distance

DRAWS = 4
"""Of noise, averaged."""
_STREAM = 1000
"""Of random numbers, apart from those of the null."""


def measure_floor(layer: LayerCheckpoint, error: np.ndarray) -> Iterator[Row]:
    """Displacement and velocity per step of the checkpoint's cloud under noise as large as `error`.

    Args:
        error: (m, D) of `movement_error`.
    """
    at, tda = layer.at, layer.tda
    cloud, base = layer.clouds[at.step], layer.clouds[at.origin]
    lag = min(b - a for a, b in at.pairs)
    before, own = layer.prepared(at.step), layer.layer_diagrams[at.step]
    moved: list[float] = []
    distances: list[list[float]] = [[] for _ in tda.dimensions]
    for draw in range(DRAWS):
        noisy = cloud + draw_error(cloud, error, layer.random(at.step, _STREAM, draw))
        after = prepare_cloud(noisy, base, tda)
        moved.append(displacement(before.points, after.points, lag))
        diagram = normalized_diagram(after, tda)
        for of_dimension, k in zip(distances, tda.dimensions, strict=True):
            of_dimension.append(shape_distance(own.normalized if own.scale else None, diagram, k) / lag)
    yield Row(at.step, "floor/displacement", float(np.mean(moved)), layer.name)
    for k, values in zip(tda.dimensions, distances, strict=True):
        yield Row(at.step, "floor/velocity", float(np.mean(values)) if values else math.nan, layer.name, k)
