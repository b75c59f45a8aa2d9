"""One checkpoint's pipeline: clouds on disk -> diagrams on disk -> rows of the table.

Each part is a function of the run directory alone and runs in a worker process; `pool.py` says in which order.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..clouds.store import read_cloud, read_probe_hash
from ..config import TdaConfig
from ..geometry import displacement
from ..metrics.files import read_rows, write_rows
from ..metrics.selection import select
from ..metrics.table import Row, metric_key
from ..rundir import RunDirectory
from ..system.files import DamagedError, set_aside
from ..topology import diagram_distance
from .inference import infer
from .layer import CheckpointSteps, LayerCheckpoint
from .layer_diagrams import layer_diagram_of_file, read_layer_diagrams
from .prepared_cloud import prepare_cloud
from .rows import measure_rows


@dataclass(frozen=True)
class Job:
    """What a worker is given about one checkpoint; everything else it reads from the run directories."""

    source: RunDirectory
    """Holds the clouds."""
    run: RunDirectory
    """Gets diagrams and metrics: the source itself, or the directory of an analysis."""
    at: CheckpointSteps
    tda: TdaConfig

    @property
    def weight_clouds(self) -> list[Path]:
        """Clouds of the random updates that are asked for and stored at this checkpoint."""
        step, wanted = self.at.step, self.tda.weight_steps
        return self.source.weight_clouds(step)[: self.tda.weight_draws] if wanted is None or step in wanted else []


@dataclass(frozen=True)
class Measurement:
    step: int
    metrics: dict[str, float]
    """What MLflow is sent, by its key."""
    skipped: int
    """Values left out: undefined, not finite."""
    seconds: float


def measure_layer(job: Job, layer: str) -> list[Row]:
    """Rows of one layer from its clouds and diagrams; a value that is not defined comes as NaN, to be counted."""
    diagrams = {step: read_layer_diagrams(job.run.diagrams(step), [layer])[layer] for step in job.at.steps}
    clouds = {step: read_cloud(job.source.clouds(step), layer) for step in job.at.steps}
    seed = seed_of(read_probe_hash(job.source.clouds(0)))
    weight_clouds = [read_cloud(path, layer) for path in job.weight_clouds]
    at_layer = LayerCheckpoint(job.at, layer, clouds, diagrams, job.tda, seed, weight_clouds)
    rows = measure_rows(at_layer)
    if job.at.step == 0 and job.source.floor_clouds().exists():
        rows += _measure_floor(job, at_layer)
    return rows


def seed_of(probe_hash: str) -> int:
    """The seed of random halves and movements: the same for every run over the same probes."""
    return int(hashlib.sha256(probe_hash.encode()).hexdigest()[:16], 16)


def write_checkpoint(job: Job, found: Iterable[Row], seconds: float) -> Measurement:
    """Put the rows of all layers, with what follows from them, into the checkpoint's directory.

    Args:
        found: of `measure_layer`.
        seconds: what they took.
    """
    found = list(found)
    rows = infer(found)
    skipped = sum(not math.isfinite(row.value) for row in found)
    write_rows(job.run.metrics(job.at.step), rows, skipped=skipped, seconds=seconds)
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
