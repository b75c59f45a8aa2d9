"""One checkpoint's pipeline: clouds on disk -> diagrams on disk -> rows of the table. Runs in a worker process.

A function of the run directory alone: whoever needs a diagram that is not there yet makes it, with the same result.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..clouds.prepare import prepare_points
from ..clouds.store import read_clouds
from ..config import TdaConfig
from ..geometry import displacement
from ..rundir import RunDirectory, replacing
from ..topology import diagram_distance, summarize
from ..topology.distances import METRICS, median_distance, pairwise_distances
from ..topology.homology import Transformer, apply_transformer
from ..topology.summaries import LENGTHS
from .table import Row, metric_key, with_means, write_rows


@dataclass(frozen=True)
class Job:
    """What a worker is told about one checkpoint; everything else it reads from the run directories."""

    source: RunDirectory
    """Holds the clouds."""
    run: RunDirectory
    """Gets diagrams and metrics: the source itself, or the directory of an analysis."""
    step: int
    pairs: tuple[tuple[int, int], ...]
    """Steps of each pair, all captured; the first begins at `step`."""
    previous: int | None
    """The checkpoint before this one."""
    tda: TdaConfig


@dataclass(frozen=True)
class Measurement:
    step: int
    metrics: dict[str, float]
    """What MLflow is told, by its key."""
    skipped: int
    """Values left out: undefined, not finite."""
    seconds: float


@dataclass(frozen=True)
class Shape:
    """What homology sees of one layer at one step."""

    diagram: np.ndarray
    """(n_bars, 3) in the units of the activations"""
    scale: float
    """median pairwise distance; 0 if all points coincide"""

    @property
    def scaled(self) -> np.ndarray:
        """The shape diagram: lengths in units of the cloud's own scale."""
        return self.diagram * [1 / self.scale, 1 / self.scale, 1.0]


def measure_checkpoint(job: Job) -> Measurement:
    """Diagrams of the checkpoint and its pairs, its metrics, written to its directory.

    Raises:
        ValueError: if a cloud has values that are not finite, naming step and layer.
    """
    start = time.perf_counter()
    paired = {step for pair in job.pairs for step in pair}
    compared = paired | {0} | ({job.previous} if job.previous is not None else set())
    shapes = {step: load_shapes(job, step) for step in sorted(compared)}
    clouds = {step: read_clouds(job.source.clouds(step)) for step in paired}
    found = [
        row
        for layer in shapes[job.step]
        for row in _measure_layer(
            job, layer, {s: by_layer[layer] for s, by_layer in shapes.items()}, {s: c[layer] for s, c in clouds.items()}
        )
    ]
    if job.step == 0:
        found += _measure_floor(job, shapes[0], clouds[0])
    rows = with_means(row for row in found if math.isfinite(row.value))
    write_rows(job.run.metrics(job.step), rows)
    metrics = {metric_key(row): row.value for row in rows if row.pair_step == -1}
    skipped = sum(not math.isfinite(row.value) for row in found)
    return Measurement(job.step, metrics, skipped, time.perf_counter() - start)


def _measure_layer(job: Job, layer: str, shapes: dict[int, Shape], clouds: dict[int, np.ndarray]) -> Iterator[Row]:
    """Rows of one layer; a value that is not defined comes as NaN, to be counted."""
    step, here = job.step, shapes[job.step]
    yield Row(step, "scale", here.scale, layer)
    moves = {(a, b): displacement(clouds[a], clouds[b], b - a) for a, b in job.pairs}
    yield from _averaged(step, "displacement", layer, -1, moves)
    for k in job.tda.dimensions:
        values = summarize(here.diagram, k)
        if here.scale == 0:
            # All points in one place: a valid state with no bar, and nothing else to say about it.
            values = {"n_bars": 0.0} | dict.fromkeys(values.keys() - {"n_bars"}, math.nan)
        for name, value in values.items():
            yield Row(step, f"topology/{name}", value, layer, k)
            if name in LENGTHS:
                yield Row(step, f"shape/{name}", value / here.scale if here.scale else math.nan, layer, k)
        yield Row(step, "drift", _distance(shapes[0], here, k), layer, k)
        speeds = {(a, b): _distance(shapes[a], shapes[b], k) / (b - a) for a, b in job.pairs}
        yield from _averaged(step, "velocity", layer, k, speeds)
        if job.previous is not None:
            gap = step - job.previous
            yield Row(step, "naive_velocity", _distance(shapes[job.previous], here, k) / gap, layer, k)


def _measure_floor(job: Job, shapes: dict[str, Shape], clouds: dict[str, np.ndarray]) -> Iterator[Row]:
    """Velocity and displacement that rounding alone gives: step 0 against itself in other batches."""
    path = job.source.floor_clouds()
    if not path.exists():
        return
    again, other = _compute_shapes(job, 0, path), read_clouds(path)
    for layer, shape in shapes.items():
        yield Row(0, "floor/displacement", displacement(clouds[layer], other[layer], 1), layer)
        for k in job.tda.dimensions:
            yield Row(0, "floor/velocity", _distance(shape, again[layer], k), layer, k)


def _averaged(
    step: int, quantity: str, layer: str, dimension: int, by_pair: dict[tuple[int, int], float]
) -> Iterator[Row]:
    """Each pair's value and, without a pair, their mean."""
    for (_, later), value in by_pair.items():
        yield Row(step, quantity, value, layer, dimension, later)
    yield Row(step, quantity, float(np.mean(list(by_pair.values()))), layer, dimension)


def _distance(a: Shape, b: Shape, dimension: int) -> float:
    if not (a.scale and b.scale):
        return math.nan
    return diagram_distance(a.scaled, b.scaled, dimension)


def load_shapes(job: Job, step: int) -> dict[str, Shape]:
    """Diagrams and scales of every layer at a step, computed and stored where they are not yet."""
    path = job.run.diagrams(step)
    if not path.exists():
        shapes = _compute_shapes(job, step, job.source.clouds(step))
        with replacing(path) as partial:
            arrays = {f"{layer}.diagram": shape.diagram for layer, shape in shapes.items()}
            arrays |= {f"{layer}.scale": np.array(shape.scale) for layer, shape in shapes.items()}
            np.savez_compressed(partial, **arrays)
        return shapes
    with np.load(path) as stored:
        layers = sorted({name.partition(".")[0] for name in stored.files})
        return {name: Shape(stored[f"{name}.diagram"], float(stored[f"{name}.scale"])) for name in layers}


def _compute_shapes(job: Job, step: int, path: Path) -> dict[str, Shape]:
    transformer = build_transformer(job.tda)
    base = read_clouds(job.source.clouds(0))
    shapes = {}
    for layer, cloud in read_clouds(path).items():
        try:
            shapes[layer] = compute_shape(cloud, base[layer], job.tda, transformer)
        except ValueError as error:
            raise ValueError(f"step {step}, {layer}: {error}") from error
    return shapes


def compute_shape(cloud: np.ndarray, base: np.ndarray, tda: TdaConfig, transformer: Transformer) -> Shape:
    """Diagram and scale of one (N, D) cloud; `base` is the same layer at step 0."""
    points = prepare_points(cloud, base, metric=tda.metric, points=tda.points)
    distances = pairwise_distances(points, tda.metric if tda.metric in METRICS else "euclidean")
    return Shape(
        apply_transformer(transformer, distances if tda.takes_distances else points), median_distance(distances)
    )


def build_transformer(tda: TdaConfig) -> Transformer:
    """The giotto-tda transformer that the configuration names."""
    from hydra.utils import instantiate

    transformer: Transformer = instantiate(tda.transformer, _convert_="all")
    return transformer
