"""One checkpoint's pipeline: clouds on disk -> diagrams on disk -> rows of the table.

Each part is a function of the run directory alone and runs in a worker process; `pool.py` says in which order.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..clouds.store import layer_names, read_cloud
from ..config import TdaConfig
from ..geometry import describe, displacement
from ..rundir import RunDirectory
from ..topology import diagram_distance, summarize
from ..topology.summaries import LENGTHS
from .shapes import Shape, merge_shapes, read_shapes, shape_of_file, store_shape
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

    @property
    def steps(self) -> list[int]:
        """Captured steps whose diagrams are compared."""
        compared = {0, self.step} | {step for pair in self.pairs for step in pair}
        return sorted(compared | ({self.previous} if self.previous is not None else set()))


@dataclass(frozen=True)
class Measurement:
    step: int
    metrics: dict[str, float]
    """What MLflow is told, by its key."""
    skipped: int
    """Values left out: undefined, not finite."""
    seconds: float


def measure_layer(job: Job, layer: str) -> list[Row]:
    """Rows of one layer from its diagrams; a value that is not defined comes as NaN, to be counted."""
    shapes = {step: read_shapes(job.run.diagrams(step), [layer])[layer] for step in job.steps}
    moving = {0, job.step} | {step for pair in job.pairs for step in pair}
    clouds = {step: read_cloud(job.source.clouds(step), layer) for step in moving}
    rows = list(_measure(job, layer, shapes, clouds))
    if job.step == 0 and job.source.floor_clouds().exists():
        rows += _measure_floor(job, layer, shapes[0], clouds[0])
    return rows


def write_checkpoint(job: Job, found: Iterable[Row], seconds: float) -> Measurement:
    """Put the rows of all layers, with their means, into the checkpoint's directory; `seconds`: what they took."""
    found = list(found)
    rows = with_means(row for row in found if math.isfinite(row.value))
    write_rows(job.run.metrics(job.step), rows)
    metrics = {metric_key(row): row.value for row in rows if row.pair_step == -1}
    return Measurement(job.step, metrics, sum(not math.isfinite(row.value) for row in found), seconds)


def measure_checkpoint(job: Job) -> Measurement:
    """All of one checkpoint, in this process; `WorkerPool` spreads the same over many.

    Raises:
        ValueError: if a cloud has values that are not finite, naming step, layer and prompt.
    """
    start, layers = time.perf_counter(), layer_names(job.source.clouds(job.step))
    for step in job.steps:
        for layer in layers:
            store_shape(job.source, job.run, step, layer, job.tda)
        merge_shapes(job.run, step, layers)
    rows = [row for layer in layers for row in measure_layer(job, layer)]
    return write_checkpoint(job, rows, time.perf_counter() - start)


def _measure(job: Job, layer: str, shapes: dict[int, Shape], clouds: dict[int, np.ndarray]) -> Iterator[Row]:
    step, here = job.step, shapes[job.step]
    yield Row(step, "scale", here.scale, layer)
    for name in ("sinks", "equal_points", "intrinsic_dimension"):
        yield Row(step, name, getattr(here, name), layer)
    if job.tda.geometry:
        for name, value in describe(clouds[step], clouds[0]).items():
            yield Row(step, name, value, layer)
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


def _measure_floor(job: Job, layer: str, shape: Shape, cloud: np.ndarray) -> Iterator[Row]:
    """Velocity and displacement that rounding alone gives: step 0 against itself in other batches."""
    path = job.source.floor_clouds()
    again = shape_of_file(job.source, path, layer, job.tda, name=f"step 0 captured again, {layer}")
    yield Row(0, "floor/displacement", displacement(cloud, read_cloud(path, layer), 1), layer)
    for k in job.tda.dimensions:
        yield Row(0, "floor/velocity", _distance(shape, again, k), layer, k)


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
