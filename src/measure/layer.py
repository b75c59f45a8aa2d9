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
from ..geometry import describe, in_row_space, random_part, random_rigid_share
from ..metrics.table import Row
from ..topology import diagram_distance, summarize
from ..topology.summaries import LENGTHS
from .null import FAMILIES, Family, Start, Walk, draw_movement, is_defined
from .pair import Pair
from .shapes import Shape
from .view import View, shape_diagram, view_cloud


@dataclass(frozen=True)
class Checkpoint:
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
class LayerAt:
    """One layer at one checkpoint."""

    at: Checkpoint
    layer: str
    clouds: Mapping[int, np.ndarray]
    """(N, D) by step, for all of `at.steps`"""
    shapes: Mapping[int, Shape]
    tda: TdaConfig
    seed: int
    """of the random halves and movements: the same for every run over the same probes"""

    @cached_property
    def _views(self) -> dict[int, View]:
        return {}

    def view(self, step: int) -> View:
        if step not in self._views:
            self._views[step] = view_cloud(self.clouds[step], self.clouds[self.at.origin], self.tda)
        return self._views[step]

    @cached_property
    def pairs(self) -> dict[tuple[int, int], Pair]:
        return {(a, b): Pair.of(self.view(a), self.view(b)) for a, b in self.at.pairs}

    def random(self, *more: int) -> np.random.Generator:
        number = int(hashlib.sha256(self.layer.encode()).hexdigest()[:8], 16)
        return np.random.default_rng([self.seed, number, *more])


def measure(here: LayerAt) -> list[Row]:
    """Every row of the layer at the checkpoint."""
    rows = [*describe_cloud(here), *compare_steps(here), *measure_movement(here)]
    if here.tda.subsamples:
        rows += measure_halves(here)
    if here.tda.null_draws and here.at.pairs:
        rows += measure_chance(here)
    return rows


def describe_cloud(here: LayerAt) -> Iterator[Row]:
    """Geometry of the cloud, summaries of its diagram."""
    step, layer, shape = here.at.step, here.layer, here.shapes[here.at.step]
    yield Row(step, "scale", shape.scale, layer)
    for name in ("sinks", "equal_points", "intrinsic_dimension"):
        yield Row(step, name, getattr(shape, name), layer)
    if here.tda.geometry:
        for name, value in describe(here.clouds[step], here.clouds[here.at.origin]).items():
            yield Row(step, name, value, layer)
    if here.tda.components:
        yield Row(step, "explained_variance", shape.explained, layer)
    for k in here.tda.dimensions:
        values = summarize(shape.diagram, k)
        if shape.scale == 0:
            # Points in one place: a valid state, but nothing else can be said in units of its size.
            values |= dict.fromkeys(values.keys() - {"n_bars"}, math.nan)
        for name, value in values.items():
            yield Row(step, f"topology/{name}", value, layer, k)
            if name in LENGTHS:
                yield Row(step, f"shape/{name}", value / shape.scale if shape.scale else math.nan, layer, k)


def compare_steps(here: LayerAt) -> Iterator[Row]:
    """Drift, velocity, naive velocity."""
    diagrams = {step: shape.scaled if shape.scale else None for step, shape in here.shapes.items()}
    for k in here.tda.dimensions:
        speeds = {(a, b): _distance(diagrams[a], diagrams[b], k) / (b - a) for a, b in here.at.pairs}
        yield from _averaged(here, "velocity", speeds, k)
        yield from _between_checkpoints(here.at, here.layer, diagrams, k)


def _between_checkpoints(
    at: Checkpoint, layer: str, diagrams: Mapping[int, np.ndarray | None], k: int, sample: int = -1
) -> Iterator[Row]:
    here = diagrams[at.step]
    yield Row(at.step, "drift", _distance(diagrams[at.origin], here, k), layer, k, sample=sample)
    if at.previous is not None:
        naive = _distance(diagrams[at.previous], here, k) / (at.step - at.previous)
        yield Row(at.step, "naive_velocity", naive, layer, k, sample=sample)


def measure_movement(here: LayerAt) -> Iterator[Row]:
    """How far the points moved between the steps of each pair, and how much of it no distance can see."""
    moves: dict[str, dict[tuple[int, int], float]] = {}
    for (a, b), pair in here.pairs.items():
        values = _movement(pair, b - a, whole=here.tda.geometry)
        if here.tda.geometry:
            lengths, width = np.linalg.norm(pair.end - pair.filled, axis=1), here.view(a).points.shape[1]
            values["rigid_share_null"] = random_rigid_share(pair.start, lengths, width)
        for name, value in values.items():
            moves.setdefault(name, {})[a, b] = value
    for name, by_pair in moves.items():
        yield from _averaged(here, name, by_pair)


def _movement(pair: Pair, lag: int, *, whole: bool) -> dict[str, float]:
    values = {"displacement": pair.displacement(lag)}
    if whole:
        values |= {"rigid_share": pair.rigid_share, "distance_change": pair.distance_change}
    return values


def measure_halves(here: LayerAt) -> Iterator[Row]:
    """The same on random halves of the probes; equal halves in every layer, at every checkpoint, in every run."""
    at, tda = here.at, here.tda
    count = len(here.view(at.step).points)
    if count < 6:
        raise ValueError(f"{count} points: a subsample is half of them and needs 3; take more, or tda.subsamples=0")
    for sample in range(tda.subsamples or 0):
        rows = np.sort(np.random.default_rng([here.seed, sample]).permutation(count)[: count // 2])
        parts = {step: here.view(step).take(rows, tda) for step in at.steps}
        diagrams = {step: shape_diagram(part, tda) for step, part in parts.items()}
        for k in tda.dimensions:
            if at.pairs:
                speed = _mean(_distance(diagrams[a], diagrams[b], k) / (b - a) for a, b in at.pairs)
                yield Row(at.step, "velocity", speed, here.layer, k, sample=sample)
            yield from _between_checkpoints(at, here.layer, diagrams, k, sample)
        halves = {(a, b): pair.take(rows, parts[a], parts[b]) for (a, b), pair in here.pairs.items()}
        moves = [_movement(half, b - a, whole=tda.geometry) for (a, b), half in halves.items()]
        for name in moves[0] if moves else ():
            yield Row(at.step, name, _mean(values[name] for values in moves), here.layer, sample=sample)


def measure_chance(here: LayerAt) -> Iterator[Row]:
    """Velocities of random movements with the same distance change, averaged over the pairs like the velocity."""
    at, tda = here.at, here.tda
    drawn: dict[tuple[Family, int], list[list[float]]] = {}
    for (a, b), pair in here.pairs.items():
        change, width = pair.distance_change, here.view(a).points.shape[1]
        if not is_defined(change):
            yield from (Row(at.step, "excess", math.nan, here.layer, k) for k in tda.dimensions)
            return
        before, seen = here.shapes[a].scaled, random_part(pair.start, pair.end, width)
        for number, family in enumerate(FAMILIES):
            draws, t, base = tda.null_draws or 0, 1.0, pair.start
            if family == "matched" and seen.shape[1] > len(seen) and tda.takes_distances:
                seen, base = in_row_space(seen, pair.filled)  # where all its draws lie, and half as wide
            start = Start(here.view(a).distances, base, cosine=tda.metric == "cosine")
            speeds = np.full((draws, len(tda.dimensions)), math.nan)
            for draw in range(draws):
                rng = here.random(a, number, draw)
                walk = start.walk(draw_movement(seen, pair.start.shape[1], width, family, rng))
                moved, t = _moved_diagram(walk, change, t, tda)
                speeds[draw] = [_distance(before, moved, k) / (b - a) for k in tda.dimensions]
            for column, k in enumerate(tda.dimensions):
                drawn.setdefault((family, k), []).append(list(speeds[:, column]))
    for (family, k), by_pair in drawn.items():
        for draw, value in enumerate(np.mean(by_pair, axis=0)):
            yield Row(at.step, NULLS[family], float(value), here.layer, k, sample=draw)


NULLS: dict[Family, str] = {"matched": "null_velocity", "isotropic": "isotropic_velocity"}
"""Rows of the draws, `sample` their number."""


def _moved_diagram(walk: Walk, change: float, start: float, tda: TdaConfig) -> tuple[np.ndarray | None, float]:
    """The diagram where the walk has changed the distances by `change`, and how far that is; `start`: a first guess."""
    arrived = walk.until(change, start)
    if arrived is None:
        return None, start
    t, distances, scale = arrived
    points = walk.movement[:0] if tda.takes_distances else walk.points(t)
    return shape_diagram(View(points, distances, scale), tda), t


def _averaged(here: LayerAt, quantity: str, by_pair: Mapping[tuple[int, int], float], k: int = -1) -> Iterator[Row]:
    """Each pair's value and, without a pair, their mean."""
    for (_, later), value in by_pair.items():
        yield Row(here.at.step, quantity, value, here.layer, k, later)
    if by_pair:
        yield Row(here.at.step, quantity, _mean(by_pair.values()), here.layer, k)


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))


def _distance(a: np.ndarray | None, b: np.ndarray | None, k: int) -> float:
    return math.nan if a is None or b is None else diagram_distance(a, b, k)
