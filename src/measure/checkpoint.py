"""One checkpoint's pipeline: clouds on disk -> diagrams on disk -> rows of the table. Runs in a worker process.

A function of the run directory alone: whoever needs a diagram that is not there yet makes it, with the same result.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..clouds.store import read_clouds
from ..config import TdaConfig
from ..geometry import displacement
from ..rundir import RunDirectory
from ..topology import diagram_distance, summarize
from ..topology.summaries import LENGTHS
from .shapes import Shape, compute_shapes, load_shapes
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


def measure_checkpoint(job: Job) -> Measurement:
    """Diagrams of the checkpoint and its pairs, its metrics, written to its directory.

    Raises:
        ValueError: if a cloud has values that are not finite, naming step and layer.
    """
    start = time.perf_counter()
    paired = {step for pair in job.pairs for step in pair}
    compared = paired | {0} | ({job.previous} if job.previous is not None else set())
    shapes = {step: load_shapes(job.source, job.run, step, job.tda) for step in sorted(compared)}
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
    if job.tda.components:
        yield Row(step, "explained_variance", here.explained, layer)
    moves = {(a, b): displacement(clouds[a], clouds[b], b - a) for a, b in job.pairs}
    yield from _averaged(step, "displacement", layer, -1, moves)
    for k in job.tda.dimensions:
        values = summarize(here.diagram, k)
        if here.scale == 0:
            # Points in one place: a valid state, but nothing else can be said in units of its size.
            values |= dict.fromkeys(values.keys() - {"n_bars"}, math.nan)
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
    again, other = compute_shapes(job.source, 0, path, job.tda), read_clouds(path)
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
