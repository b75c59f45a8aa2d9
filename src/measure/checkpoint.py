"""One checkpoint's pipeline: clouds on disk -> diagrams on disk -> rows of the table.

Each part is a function of the run directory alone and runs in a worker process; `pool.py` says in which order.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..clouds.store import read_cloud, read_probe_hash
from ..config import SECOND_METRIC, TdaConfig
from ..geometry import displacement
from ..metrics.files import read_rows, write_rows
from ..metrics.second import as_second, split_rows
from ..metrics.selection import select
from ..metrics.table import Row, metric_key
from ..rundir import RunDirectory
from ..system.files import DamagedError, set_aside
from ..topology import diagram_distance
from .inference import infer
from .layer import CheckpointSteps, LayerCheckpoint
from .layer_diagrams import layer_diagram_of_file, read_layer_diagrams
from .prepared_cloud import prepare_cloud
from .rows import measure_rows, metric_rows
from .second import has_second_metric


@dataclass(frozen=True)
class Job:
    """What a worker is given about one checkpoint; everything else it reads from the run directories."""

    source: RunDirectory
    """Holds the clouds."""
    run: RunDirectory
    """Gets diagrams and metrics: the source itself, or the directory of an analysis."""
    at: CheckpointSteps
    tda: TdaConfig
    is_second: bool = False
    """Whether this is the measurement by the second metric, whose rows stand beside those of the first."""


@dataclass(frozen=True)
class Measurement:
    step: int
    metrics: dict[str, float]
    """What MLflow is sent, by its key."""
    skipped: int
    """Values left out: undefined, not finite."""
    seconds: float


def with_second(job: Job) -> list[Job]:
    """The job and, where the run has a second metric, the same with that one."""
    if not has_second_metric(job.source, job.tda):
        return [job]
    tda = replace(job.tda, metric=SECOND_METRIC, second_metric="none")
    return [job, replace(job, run=job.run.with_metric(SECOND_METRIC), tda=tda, is_second=True)]


def measure_layer(job: Job, layer: str) -> list[Row]:
    """Rows of one layer from its clouds and diagrams; a value that is not defined comes as NaN, to be counted."""
    diagrams = {step: read_layer_diagrams(job.run.diagrams(step), [layer])[layer] for step in job.at.steps}
    clouds = {step: read_cloud(job.source.clouds(step), layer) for step in job.at.steps}
    seed = seed_of(read_probe_hash(job.source.clouds(0)))
    at_layer = LayerCheckpoint(job.at, layer, clouds, diagrams, job.tda, seed)
    rows = metric_rows(at_layer) if job.is_second else measure_rows(at_layer)
    if job.at.step == 0 and job.source.floor_clouds().exists():
        rows += _measure_floor(job, at_layer)
    return list(as_second(rows)) if job.is_second else rows


def seed_of(probe_hash: str) -> int:
    """The seed of random halves and movements: the same for every run over the same probes."""
    return int(hashlib.sha256(probe_hash.encode()).hexdigest()[:16], 16)


def write_checkpoint(job: Job, found: Iterable[Row], seconds: float) -> Measurement:
    """Put the rows of all layers, with what follows from them, into the checkpoint's directory.

    Args:
        found: of `measure_layer`, by both metrics if there are two.
        seconds: what they took.
    """
    found = list(found)
    first, second = split_rows(found)
    rows = [*infer(first), *as_second(infer(second))]
    skipped = sum(not math.isfinite(row.value) for row in found)
    facts = {"skipped": skipped, "seconds": seconds, "metrics": 2 if second else 1}
    write_rows(job.run.metrics(job.at.step), rows, **facts)
    return _measurement(job, rows, skipped, seconds)


def read_checkpoint(job: Job) -> Measurement | None:
    """What an earlier start measured; None if it did not come that far."""
    path = job.run.metrics(job.at.step)
    if not path.exists():
        return None
    try:
        table, facts = read_rows(path)
    except DamagedError as error:
        set_aside(path, error.reason)
        return None
    # A start of an earlier version, which knew no second metric, may have left half a run: it is measured alike.
    if "metrics" not in facts and has_second_metric(job.source, job.tda):
        return None
    measured = select(table)
    rows = [
        Row(job.at.step, quantity, value, layer, dimension)
        for quantity, value, layer, dimension in zip(
            measured.quantity, measured.value, measured.layer, measured.dimension, strict=True
        )
    ]
    return _measurement(job, rows, int(facts["skipped"]), facts["seconds"])


def _measurement(job: Job, rows: Iterable[Row], skipped: int, seconds: float) -> Measurement:
    metrics = {metric_key(row): row.value for row in rows if row.part == "checkpoint"}
    return Measurement(job.at.step, metrics, skipped, seconds)


def _measure_floor(job: Job, layer: LayerCheckpoint) -> Iterator[Row]:
    """Velocity and displacement that rounding alone gives: step 0 against itself in other batches."""
    path, name = job.source.floor_clouds(), layer.name
    first = layer.layer_diagrams[0]
    again = layer_diagram_of_file(job.source, path, name, job.tda, label=f"step 0 again, {name}")
    points = prepare_cloud(read_cloud(path, name), layer.clouds[0], job.tda).points
    yield Row(0, "floor/displacement", displacement(layer.prepared(0).points, points, 1), name)
    for k in job.tda.dimensions:
        if first.scale and again.scale:
            yield Row(0, "floor/velocity", diagram_distance(first.normalized, again.normalized, k), name, k)
