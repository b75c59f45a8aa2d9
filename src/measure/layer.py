"""The numbers of one layer at one checkpoint: of itself, against other steps, on random halves, against chance.

A value that is not defined comes as NaN, to be counted. `inference.py` makes intervals and excess of what comes out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..config import TdaConfig
from ..geometry import describe, nonrigid_movement, project_to_row_space, random_rigid_fraction
from ..metrics.table import Row
from ..topology import diagram_distance, summarize
from ..topology.summaries import LENGTHS
from .layer_diagrams import LayerDiagram
from .null import FAMILIES, Family, RandomPerturbation, ReferenceCloud, draw_movement, is_defined
from .pair import Pair
from .prepared_cloud import PreparedCloud, normalized_diagram, prepare_cloud


@dataclass(frozen=True)
class CheckpointSteps:
    step: int
    pairs: tuple[tuple[int, int], ...]
    """Steps of each pair, all captured; the first begins at `step`. A last checkpoint may have none."""
    previous: int | None
    """The checkpoint before this one."""
    origin: int = 0
    """The step that drift is measured from."""

    @property
    def steps(self) -> list[int]:
        """Captured steps whose shapes are compared."""
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

    def random(self, *more: int) -> np.random.Generator:
        number = int(hashlib.sha256(self.name.encode()).hexdigest()[:8], 16)
        return np.random.default_rng([self.seed, number, *more])


def measure(layer: LayerCheckpoint) -> list[Row]:
    """Every row of the layer at the checkpoint."""
    rows = [*describe_cloud(layer), *compare_steps(layer), *measure_movement(layer)]
    if layer.tda.subsamples:
        rows += subsample_rows(layer)
    if layer.tda.null_draws and layer.at.pairs:
        rows += null_velocities(layer)
    return rows


def describe_cloud(layer: LayerCheckpoint) -> Iterator[Row]:
    """Geometry of the cloud, summaries of its diagram."""
    step, name, own = layer.at.step, layer.name, layer.layer_diagrams[layer.at.step]
    yield Row(step, "scale", own.scale, name)
    for quantity in ("sinks", "equal_points", "intrinsic_dimension"):
        yield Row(step, quantity, getattr(own, quantity), name)
    if layer.tda.geometry:
        for quantity, value in describe(layer.clouds[step], layer.clouds[layer.at.origin]).items():
            yield Row(step, quantity, value, name)
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
    """Drift, velocity, naive velocity."""
    diagrams = {step: of.normalized if of.scale else None for step, of in layer.layer_diagrams.items()}
    for k in layer.tda.dimensions:
        speeds = {(a, b): _distance(diagrams[a], diagrams[b], k) / (b - a) for a, b in layer.at.pairs}
        yield from _averaged(layer, "velocity", speeds, k)
        yield from _between_checkpoints(layer.at, layer.name, diagrams, k)


def _between_checkpoints(
    at: CheckpointSteps, layer: str, diagrams: Mapping[int, np.ndarray | None], k: int, sample: int = -1
) -> Iterator[Row]:
    own = diagrams[at.step]
    yield Row(at.step, "drift", _distance(diagrams[at.origin], own, k), layer, k, sample=sample)
    if at.previous is not None:
        naive = _distance(diagrams[at.previous], own, k) / (at.step - at.previous)
        yield Row(at.step, "naive_velocity", naive, layer, k, sample=sample)


def measure_movement(layer: LayerCheckpoint) -> Iterator[Row]:
    """How far the points moved between the steps of each pair, and how much of it no distance can see."""
    moves: dict[str, dict[tuple[int, int], float]] = {}
    for (a, b), pair in layer.pairs.items():
        values = _movement(pair, b - a, whole=layer.tda.geometry)
        if layer.tda.geometry:
            lengths, width = np.linalg.norm(pair.end - pair.filled, axis=1), layer.prepared(a).points.shape[1]
            values["rigid_share_null"] = random_rigid_fraction(pair.start, lengths, width)
        for name, value in values.items():
            moves.setdefault(name, {})[a, b] = value
    for name, by_pair in moves.items():
        yield from _averaged(layer, name, by_pair)


def _movement(pair: Pair, lag: int, *, whole: bool) -> dict[str, float]:
    values = {"displacement": pair.displacement(lag)}
    if whole:
        values |= {"rigid_share": pair.rigid_fraction, "distance_change": pair.distance_change}
    return values


def subsample_rows(layer: LayerCheckpoint) -> Iterator[Row]:
    """The same on random halves of the probes; equal halves in every layer, at every checkpoint, in every run."""
    at, tda = layer.at, layer.tda
    count = len(layer.prepared(at.step).points)
    if count < 6:
        raise ValueError(f"{count} points: a subsample is half of them and needs 3; take more, or tda.subsamples=0")
    for sample in range(tda.subsamples or 0):
        rows = np.sort(np.random.default_rng([layer.seed, sample]).permutation(count)[: count // 2])
        parts = {step: layer.prepared(step).subset(rows, tda) for step in at.steps}
        diagrams = {step: normalized_diagram(part, tda) for step, part in parts.items()}
        for k in tda.dimensions:
            if at.pairs:
                speed = _mean(_distance(diagrams[a], diagrams[b], k) / (b - a) for a, b in at.pairs)
                yield Row(at.step, "velocity", speed, layer.name, k, sample=sample)
            yield from _between_checkpoints(at, layer.name, diagrams, k, sample)
        halves = {(a, b): pair.subset(rows, parts[a], parts[b]) for (a, b), pair in layer.pairs.items()}
        moves = [_movement(half, b - a, whole=tda.geometry) for (a, b), half in halves.items()]
        for name in moves[0] if moves else ():
            yield Row(at.step, name, _mean(values[name] for values in moves), layer.name, sample=sample)


def null_velocities(layer: LayerCheckpoint) -> Iterator[Row]:
    """Velocities of random movements with the same distance change, averaged over the pairs like the velocity."""
    at, tda = layer.at, layer.tda
    drawn: dict[tuple[Family, int], list[list[float]]] = {}
    for (a, b), pair in layer.pairs.items():
        change, width = pair.distance_change, layer.prepared(a).points.shape[1]
        if not is_defined(change):
            yield from (Row(at.step, "excess", math.nan, layer.name, k) for k in tda.dimensions)
            return
        before, seen = layer.layer_diagrams[a].normalized, nonrigid_movement(pair.start, pair.end, width)
        for number, family in enumerate(FAMILIES):
            draws, t, base = tda.null_draws or 0, 1.0, pair.start
            if family == "matched" and seen.shape[1] > len(seen) and tda.takes_distances:
                seen, base = project_to_row_space(seen, pair.filled)  # where all its draws lie, and half as wide
            reference = ReferenceCloud(layer.prepared(a).distances, base, cosine=tda.metric == "cosine")
            speeds = np.full((draws, len(tda.dimensions)), math.nan)
            for draw in range(draws):
                rng = layer.random(a, number, draw)
                perturbation = reference.perturb(draw_movement(seen, pair.start.shape[1], width, family, rng))
                moved, t = _moved_diagram(perturbation, change, t, tda)
                speeds[draw] = [_distance(before, moved, k) / (b - a) for k in tda.dimensions]
            for column, k in enumerate(tda.dimensions):
                drawn.setdefault((family, k), []).append(list(speeds[:, column]))
    for (family, k), by_pair in drawn.items():
        for draw, value in enumerate(np.mean(by_pair, axis=0)):
            yield Row(at.step, NULL_QUANTITY[family], float(value), layer.name, k, sample=draw)


NULL_QUANTITY: dict[Family, str] = {"matched": "null_velocity", "isotropic": "isotropic_velocity"}
"""Rows of the draws, `sample` their number."""


def _moved_diagram(
    perturbation: RandomPerturbation, change: float, start: float, tda: TdaConfig
) -> tuple[np.ndarray | None, float]:
    """The diagram where the distances have changed by `change`, and how far that is; `start`: a first guess."""
    arrived = perturbation.step_to_change(change, start)
    if arrived is None:
        return None, start
    t, distances, scale = arrived
    points = perturbation.movement[:0] if tda.takes_distances else perturbation.points(t)
    return normalized_diagram(PreparedCloud(points, distances, scale), tda), t


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


def _distance(a: np.ndarray | None, b: np.ndarray | None, k: int) -> float:
    return math.nan if a is None or b is None else diagram_distance(a, b, k)
