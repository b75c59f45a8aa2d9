"""Velocities of one layer under random updates of the trained weights, captured while the model was trained."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..metrics.table import Row
from .layer import LayerCheckpoint
from .null import ReferenceCloud, is_defined
from .null_velocities import moved_diagram
from .prepared_cloud import prepare_cloud
from .shape_change import shape_distance


def weight_velocities(layer: LayerCheckpoint) -> Iterator[Row]:
    """Velocities of the random updates with the same distance change, averaged over the pairs like the velocity.

    The updates start from the checkpoint and have the norms of the first pair's. The pairs that repeat it begin a lag
    later, where the same update moves the points in nearly the same way: it serves them, too, so that all nulls are
    compared with the same velocity.
    """
    at, tda = layer.at, layer.tda
    drawn: dict[tuple[int, int], list[float]] = {}
    movements = list(_movements(layer))
    for (a, b), pair in layer.pairs.items():
        if not is_defined(pair.distance_change):
            yield from (Row(at.step, "weights_excess", math.nan, layer.name, k) for k in tda.dimensions)
            return
        cloud, before = layer.prepared(a), layer.layer_diagrams[a].normalized
        reference, t = ReferenceCloud(cloud.distances, cloud.points, cosine=tda.metric == "cosine"), 1.0
        for draw, movement in enumerate(movements):
            moved, t = moved_diagram(reference.perturb(movement), pair.distance_change, t, tda)
            for k in tda.dimensions:
                drawn.setdefault((k, draw), []).append(shape_distance(before, moved, k) / (b - a))
    for (k, draw), by_pair in drawn.items():
        yield Row(at.step, "weights_velocity", float(np.mean(by_pair)), layer.name, k, sample=draw)


def _movements(layer: LayerCheckpoint) -> Iterator[np.ndarray]:
    """float32 (N, D): where each draw moved the points of the checkpoint, prepared as the pair's were."""
    start, origin = layer.prepared(layer.at.step).points, layer.clouds[layer.at.origin]
    for cloud in layer.weight_clouds:
        yield (prepare_cloud(cloud, origin, layer.tda).points - start).astype(np.float32)
