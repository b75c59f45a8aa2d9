"""The numbers of one layer at one checkpoint: of itself, and against other steps.

A value that is not defined comes as NaN, to be counted. `inference.py` makes intervals and excess of what comes out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..config import TdaConfig
from ..geometry import describe, random_rigid_fraction
from ..metrics.table import WINDOW, Row
from ..topology import summarize
from ..topology.summaries import LENGTHS
from .layer_diagrams import LayerDiagram
from .null import graph_frequencies, squared_distances
from .pair import Movement, Pair, change_between
from .prepared_cloud import PreparedCloud, prepare_cloud
from .shape_change import own_scale_distance, shape_coherence, shape_distance


@dataclass(frozen=True)
class CheckpointSteps:
    step: int
    pairs: tuple[tuple[int, int], ...]
    """Steps of each pair, all captured; the first begins at `step`. A last checkpoint may have none."""
    previous: int | None
    """The checkpoint before this one."""
    origin: int = 0
    """The step that drift is measured from."""
    is_last: bool = False
    """Whether it is the last checkpoint of the run."""
    window: tuple[tuple[int, int], ...] = ()
    """Steps of more pairs, of which only velocity and distance change are measured."""

    @property
    def steps(self) -> list[int]:
        """Captured steps whose shapes are compared."""
        return sorted({*self.compared, *(step for pair in self.window for step in pair)})

    @property
    def compared(self) -> list[int]:
        """Those of them that all is measured of."""
        compared = {self.origin, self.step} | {step for pair in self.pairs for step in pair}
        return sorted(compared | ({self.previous} if self.previous is not None else set()))


@dataclass(frozen=True)
class LayerCheckpoint:
    """One layer at one checkpoint."""

    at: CheckpointSteps
    name: str
    """`layer_01`, ..."""
    clouds: Mapping[int, np.ndarray]
    """(N, D) by step, for all of `at.steps`"""
    layer_diagrams: Mapping[int, LayerDiagram]
    tda: TdaConfig
    seed: int
    """of the random halves and movements: the same for every run over the same probes"""
    weight_clouds: Sequence[np.ndarray] = ()
    """(N, D) at the checkpoint after each random update of the trained weights"""

    @cached_property
    def _prepared(self) -> dict[int, PreparedCloud]:
        return {}

    def prepared(self, step: int) -> PreparedCloud:
        if step not in self._prepared:
            self._prepared[step] = prepare_cloud(self.clouds[step], self.clouds[self.at.origin], self.tda)
        return self._prepared[step]

    @cached_property
    def pairs(self) -> dict[tuple[int, int], Pair]:
        return {(a, b): Pair.of(self.prepared(a), self.prepared(b)) for a, b in self.at.pairs}

    @cached_property
    def movements(self) -> dict[tuple[int, int], Movement]:
        return {steps: Movement.of(pair, self.tda) for steps, pair in self.pairs.items()}

    @cached_property
    def frequencies(self) -> np.ndarray:
        """(N, N) graph frequencies of the cloud at the checkpoint; one basis serves its pairs."""
        distances = self.prepared(self.at.step).distances
        return graph_frequencies(squared_distances(distances, cosine=self.tda.metric == "cosine"))

    def random(self, *numbers: int) -> np.random.Generator:
        number = int(hashlib.sha256(self.name.encode()).hexdigest()[:8], 16)
        return np.random.default_rng([self.seed, number, *numbers])


def describe_activations(layer: LayerCheckpoint) -> Iterator[Row]:
    """Geometry of the cloud as it was captured, whatever the metric."""
    step, name, own = layer.at.step, layer.name, layer.layer_diagrams[layer.at.step]
    yield Row(step, "points", float(len(layer.prepared(step).points)), name)
    for quantity in ("sinks", "equal_points"):
        yield Row(step, quantity, getattr(own, quantity), name)
    if layer.tda.geometry:
        for quantity, value in describe(layer.clouds[step], layer.clouds[layer.at.origin]).items():
            yield Row(step, quantity, value, name)


def describe_shape(layer: LayerCheckpoint) -> Iterator[Row]:
    """Size of the cloud in the metric, summaries of its diagram."""
    step, name, own = layer.at.step, layer.name, layer.layer_diagrams[layer.at.step]
    for quantity in ("scale", "intrinsic_dimension"):
        yield Row(step, quantity, getattr(own, quantity), name)
    if layer.tda.components:
        yield Row(step, "explained_variance", own.explained, name)
    for k in layer.tda.dimensions:
        values = summarize(own.diagram, k)
        if own.scale == 0:
            # Points in one place: a valid state, but nothing else can be said in units of its size.
            values |= dict.fromkeys(values.keys() - {"n_bars"}, math.nan)
        for summary, value in values.items():
            yield Row(step, f"topology/{summary}", value, name, k)
            if summary in LENGTHS:
                yield Row(step, f"shape/{summary}", value / own.scale if own.scale else math.nan, name, k)


def compare_steps(layer: LayerCheckpoint) -> Iterator[Row]:
    """Drift, velocity, naive velocity; how much of the velocity is one common scaling of the bars."""
    diagrams = {step: of.normalized if of.scale else None for step, of in layer.layer_diagrams.items()}
    for k in layer.tda.dimensions:
        speeds = {(a, b): shape_distance(diagrams[a], diagrams[b], k) / (b - a) for a, b in layer.at.pairs}
        yield from _averaged(layer, "velocity", speeds, k)
        pairs = {(a, b): (diagrams[a], diagrams[b]) for a, b in layer.at.pairs}
        own = {(a, b): own_scale_distance(*pair, k) / (b - a) for (a, b), pair in pairs.items()}
        yield from _averaged(layer, "own_scale_velocity", own, k)
        yield from _averaged(layer, "coherence", {at: shape_coherence(*pair, k) for at, pair in pairs.items()}, k)
        yield from between_checkpoints(layer.at, layer.name, diagrams, k)


def measure_window(layer: LayerCheckpoint) -> Iterator[Row]:
    """Velocity and distance change of single pairs that follow each other, so that it is seen how alike they are."""
    diagrams = {step: of.normalized if of.scale else None for step, of in layer.layer_diagrams.items()}
    for a, b in layer.at.window:
        for k in layer.tda.dimensions:
            speed = shape_distance(diagrams[a], diagrams[b], k) / (b - a)
            yield Row(layer.at.step, f"{WINDOW}velocity", speed, layer.name, k, b)
        if layer.tda.geometry:
            moved = change_between(layer.prepared(a), layer.prepared(b))
            yield Row(layer.at.step, f"{WINDOW}distance_change", moved, layer.name, pair_step=b)


def between_checkpoints(
    at: CheckpointSteps, layer: str, diagrams: Mapping[int, np.ndarray | None], k: int, sample: int = -1
) -> Iterator[Row]:
    """Drift and naive velocity, of all probes or of a random half."""
    own = diagrams[at.step]
    yield Row(at.step, "drift", shape_distance(diagrams[at.origin], own, k), layer, k, sample=sample)
    if at.previous is not None:
        naive = shape_distance(diagrams[at.previous], own, k) / (at.step - at.previous)
        yield Row(at.step, "naive_velocity", naive, layer, k, sample=sample)


def measure_movement(layer: LayerCheckpoint) -> Iterator[Row]:
    """How far the points moved between the steps of each pair, and how much of it no distance can see."""
    moves: dict[str, dict[tuple[int, int], float]] = {}
    for (a, b), pair in layer.pairs.items():
        values = movement_values(pair, b - a, whole=layer.tda.geometry)
        if layer.tda.geometry:
            lengths, width = np.linalg.norm(pair.end - pair.filled, axis=1), layer.prepared(a).points.shape[1]
            values["rigid_share_null"] = random_rigid_fraction(pair.start, lengths, width)
        for name, value in values.items():
            moves.setdefault(name, {})[a, b] = value
    for name, by_pair in moves.items():
        yield from _averaged(layer, name, by_pair)


def movement_values(pair: Pair, lag: int, *, whole: bool) -> dict[str, float]:
    """How far the points of a pair moved; `whole`: the geometry of it as well."""
    values = {"displacement": pair.displacement(lag)}
    if whole:
        values |= {"rigid_share": pair.rigid_fraction, "distance_change": pair.distance_change}
    return values


def _averaged(
    layer: LayerCheckpoint, quantity: str, by_pair: Mapping[tuple[int, int], float], k: int = -1
) -> Iterator[Row]:
    """Each pair's value and, without a pair, their mean."""
    for (_, later), value in by_pair.items():
        yield Row(layer.at.step, quantity, value, layer.name, k, later)
    if by_pair:
        yield Row(layer.at.step, quantity, _mean(by_pair.values()), layer.name, k)


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))
