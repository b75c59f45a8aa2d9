"""Velocities of one layer under random movements with the same distance change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from ..config import TdaConfig
from ..metrics.table import Row
from .layer import LayerCheckpoint
from .null import FAMILIES, Family, RandomPerturbation, ReferenceCloud, draw_movement, is_defined
from .pair import Movement
from .prepared_cloud import PreparedCloud, normalized_diagram
from .shape_change import own_scale_distance, shape_distance


def null_velocities(layer: LayerCheckpoint) -> Iterator[Row]:
    """Velocities of random movements with the same distance change, averaged over the pairs like the velocity."""
    at, tda = layer.at, layer.tda
    drawn: dict[tuple[str, int, int], list[float]] = {}
    for (a, b), pair in layer.pairs.items():
        if not is_defined(pair.distance_change):
            yield from (Row(at.step, "excess", math.nan, layer.name, k) for k in tda.dimensions)
            return
        for number, family in enumerate(FAMILIES):
            generators = [layer.random(a, number, draw) for draw in range(tda.null_draws or 0)]
            diagrams = draw_diagrams(layer.movements[a, b], family, layer.frequencies, generators, tda)
            for draw, moved in enumerate(diagrams):
                for quantity, k, value in _null_values(layer, a, family, moved):
                    drawn.setdefault((quantity, k, draw), []).append(value / (b - a))
    for (quantity, k, draw), by_pair in drawn.items():
        yield Row(at.step, quantity, float(np.mean(by_pair)), layer.name, k, sample=draw)


NULL_QUANTITY: dict[Family, str] = {"smooth": "null_velocity", "independent": "independent_velocity"}
"""Rows of the draws, `sample` their number."""


def draw_diagrams(
    movement: Movement, family: Family, basis: np.ndarray, generators: Iterable[np.random.Generator], tda: TdaConfig
) -> Iterator[np.ndarray | None]:
    """The normalized diagram after a random movement for each generator; None where none has that distance change.

    Args:
        basis: (N, N) of `graph_frequencies`.
    """
    reference, t = ReferenceCloud(movement.cloud.distances, movement.base, cosine=tda.metric == "cosine"), 1.0
    for generator in generators:
        drawn = draw_movement(movement.seen, family, basis, generator)
        moved, t = moved_diagram(reference.perturb(drawn), movement.change, t, tda)
        yield moved


def _null_values(
    layer: LayerCheckpoint, a: int, family: Family, moved: np.ndarray | None
) -> Iterator[tuple[str, int, float]]:  # fmt: skip
    """Quantity, homology dimension and distance of one draw."""
    before = layer.layer_diagrams[a].normalized
    for k in layer.tda.dimensions:
        yield NULL_QUANTITY[family], k, shape_distance(before, moved, k)
        if family == "smooth":
            yield "null_own_scale_velocity", k, own_scale_distance(before, moved, k)


def moved_diagram(
    perturbation: RandomPerturbation, change: float, start: float, tda: TdaConfig
) -> tuple[np.ndarray | None, float]:
    """The diagram where the distances have changed by `change`, and how far that is; `start`: a first guess."""
    arrived = perturbation.step_to_change(change, start)
    if arrived is None:
        return None, start
    t, distances, scale = arrived
    points = perturbation.movement[:0] if tda.takes_distances else perturbation.points(t)
    return normalized_diagram(PreparedCloud(points, distances, scale), tda), t
