"""The numbers of one layer at one checkpoint on random halves of the probes, each with random movement of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ..metrics.table import HALF, Row
from .layer import LayerCheckpoint, between_checkpoints, movement_values
from .null import graph_frequencies, is_defined, squared_distances
from .null_velocities import NULL_QUANTITY, draw_diagrams
from .pair import Movement
from .prepared_cloud import normalized_diagram
from .shape_change import shape_distance

DRAWS = 2
"""Random movements of each half and pair: of many halves the mean is what counts, and a draw costs a diagram."""


def subsample_rows(layer: LayerCheckpoint) -> Iterator[Row]:
    """Equal halves in every layer, at every checkpoint, in every run."""
    at, tda = layer.at, layer.tda
    count = len(layer.prepared(at.step).points)
    if count < 6:
        raise ValueError(f"{count} points: a subsample is half of them and needs 3; take more, or tda.subsamples=0")
    for sample in range(tda.subsamples or 0):
        rows = np.sort(np.random.default_rng([layer.seed, sample]).permutation(count)[: count // 2])
        parts = {step: layer.prepared(step).subset(rows, tda) for step in at.compared}
        diagrams = {step: normalized_diagram(part, tda) for step, part in parts.items()}
        for k in tda.dimensions:
            if at.pairs:
                speed = _mean(shape_distance(diagrams[a], diagrams[b], k) / (b - a) for a, b in at.pairs)
                yield Row(at.step, "velocity", speed, layer.name, k, sample=sample)
            yield from between_checkpoints(at, layer.name, diagrams, k, sample)
        halves = {(a, b): pair.subset(rows, parts[a], parts[b]) for (a, b), pair in layer.pairs.items()}
        moves = [movement_values(half, b - a, whole=tda.geometry) for (a, b), half in halves.items()]
        for name in moves[0] if moves else ():
            yield Row(at.step, name, _mean(values[name] for values in moves), layer.name, sample=sample)
        if tda.null_draws and halves and all(is_defined(half.distance_change) for half in halves.values()):
            moved = {
                (a, b): layer.movements[a, b].subset(rows, parts[a], half.distance_change)
                for (a, b), half in halves.items()
            }
            yield from _null_of_half(layer, sample, moved, diagrams)


def _null_of_half(
    layer: LayerCheckpoint, sample: int, movements: Mapping[tuple[int, int], Movement],
    diagrams: Mapping[int, np.ndarray | None],
) -> Iterator[Row]:  # fmt: skip
    """The mean velocity of smooth random movements of one half."""
    at, tda = layer.at, layer.tda
    first = next(iter(movements.values())).cloud
    basis = graph_frequencies(squared_distances(first.distances, cosine=tda.metric == "cosine"))
    speeds: dict[int, list[float]] = {}
    for (a, b), movement in movements.items():
        generators = [layer.random(a, sample, draw, len(basis)) for draw in range(DRAWS)]
        for moved in draw_diagrams(movement, "smooth", basis, generators, tda):
            for k in tda.dimensions:
                speeds.setdefault(k, []).append(shape_distance(diagrams[a], moved, k) / (b - a))
    for k, values in speeds.items():
        yield Row(at.step, f"{HALF}{NULL_QUANTITY['smooth']}", _mean(values), layer.name, k, sample=sample)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
