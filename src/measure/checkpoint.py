"""One checkpoint's pipeline: clouds on disk -> diagrams on disk -> rows of the table.

Each part is a function of the run directory alone and runs in a worker process; `pool.py` says in which order.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..clouds.floor import movement_error, reference_rows
from ..clouds.store import read_cloud, read_probe_hash
from ..config import SECOND_METRIC, TdaConfig
from ..metrics.files import read_rows, write_rows
from ..metrics.second import as_second, split_rows
from ..metrics.selection import select
from ..metrics.table import NOT_FINITE, Row, metric_key
from ..rundir import RunDirectory
from ..system.files import DamagedError, check_file, set_aside
from ..topology.zigzag import neighbor_graph
from .floor import measure_base_floor, measure_floor
from .inference import infer
from .layer import CheckpointSteps, LayerCheckpoint
from .layer_diagrams import read_layer_diagrams
from .prepared_cloud import prepare_cloud
from .rows import measure_rows, metric_rows
from .second import has_second_metric
from .zigzag import LayerImages, layer_distances, zigzag_rows


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


def with_second(job: Job) -> list[Job]:
    """The job and, where the run has a second metric, the same with that one."""
    if not has_second_metric(job.source, job.tda):
        return [job]
    tda = replace(job.tda, metric=SECOND_METRIC, second_metric="none")
    return [job, replace(job, run=job.run.with_metric(SECOND_METRIC), tda=tda, is_second=True)]


def measure_layer(job: Job, layer: str) -> list[Row]:
    """Rows of one layer from its clouds and diagrams; a value that is not defined comes as NaN, to be counted.

    A layer with activations that are not finite at a step that is compared has one row, which says that.
    """
    diagrams = {step: read_layer_diagrams(job.run.diagrams(step), [layer])[layer] for step in job.at.steps}
    if not all(diagram.is_defined for diagram in diagrams.values()):
        return [] if job.is_second else [Row(job.at.step, NOT_FINITE, 1.0, layer)]
    clouds = {step: read_cloud(job.source.clouds(step), layer) for step in job.at.steps}
    seed = seed_of(read_probe_hash(job.source.clouds(0)))
    weight_clouds = [read_cloud(path, layer) for path in job.weight_clouds]
    at_layer = LayerCheckpoint(job.at, layer, clouds, diagrams, job.tda, seed, weight_clouds)
    rows = metric_rows(at_layer) if job.is_second else measure_rows(at_layer)
    error, whole = _read_error(job, layer), _read_base_error(job, layer)
    if error is not None:
        rows += measure_floor(at_layer, error)
    if whole is not None:
        rows.append(measure_base_floor(at_layer, whole))
    return list(as_second(rows)) if job.is_second else rows


def measure_all_layers(job: Job) -> list[Row]:
    """Rows of what goes on from layer to layer at the checkpoint; none where fewer than two layers are finite.

    The effective persistence images are left in the checkpoint's directory.
    """
    step, tda = job.at.step, job.tda
    if tda.neighbors is None:
        return []
    diagrams = {name: of for name, of in read_layer_diagrams(job.run.diagrams(step)).items() if of.is_defined}
    if len(diagrams) < 2:
        return []
    graphs = {}
    for layer in diagrams:
        cloud, base = (read_cloud(job.source.clouds(at), layer) for at in (step, job.at.origin))
        graphs[layer] = neighbor_graph(prepare_cloud(cloud, base, tda).distances, tda.neighbors)
    found = LayerImages.of_graphs(graphs)
    found.write(job.run.zigzag(step))
    return [*zigzag_rows(step, found), *layer_distances(step, diagrams, tda.dimensions)]


def _read_error(job: Job, layer: str) -> np.ndarray | None:
    """What the arithmetic adds to a movement that begins at the checkpoint; None if that was not captured here.

    It does not depend on the lag: an analysis with a longer one takes that of the run's own pair.
    """
    start, run = job.at.step, job.source
    within = range(start + 1, job.at.pairs[0][1] + 1) if job.at.pairs else ()
    end = next((step for step in within if run.floor_clouds(step).exists()), None)
    return None if end is None else _error_between(run, start, end, layer)


def _read_base_error(job: Job, layer: str) -> np.ndarray | None:
    """What the arithmetic adds to the movement from step 0 to the last checkpoint; None elsewhere."""
    at = job.at
    return _error_between(job.source, at.origin, at.step, layer) if at.is_last and at.step != at.origin else None


def _error_between(run: RunDirectory, start: int, end: int, layer: str) -> np.ndarray | None:
    """What the arithmetic adds to the movement between two steps; None if it was not captured at both."""
    if not all(run.floor_clouds(step).exists() for step in (start, end)):
        return None
    before, after = (read_cloud(run.clouds(step), layer) for step in (start, end))
    references = read_cloud(run.floor_clouds(start), layer), read_cloud(run.floor_clouds(end), layer)
    if any(len(reference) != len(reference_rows(len(before))) for reference in references):
        return None  # captured by an earlier version, for another purpose
    return movement_error((before, after), references)


def seed_of(probe_hash: str) -> int:
    """The seed of random halves and movements: the same for every run over the same probes."""
    return int(hashlib.sha256(probe_hash.encode()).hexdigest()[:16], 16)


def write_checkpoint(job: Job, found: Iterable[Row], seconds: float) -> Measurement:
    """Put the rows of all layers, with what follows from them, into the checkpoint's directory.

    Args:
        found: of `measure_layer`, by both metrics if there are two.
        seconds: what they took.

    Raises:
        ValueError: if the activations of every layer are not finite.
    """
    found = list(found)
    if found and all(row.quantity == NOT_FINITE for row in found):
        steps = ", ".join(map(str, job.at.steps))
        raise ValueError(f"the activations of every block are not finite at one of the steps {steps}")
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


def discard_damaged_results(job: Job) -> None:
    """Let a checkpoint be measured again if what an earlier start left of it is not whole: its metrics say `done`."""
    step, metrics = job.at.step, job.run.metrics(job.at.step)
    if not metrics.exists():
        return
    second = job.run.with_metric(SECOND_METRIC).diagrams(step)
    try:
        read_rows(metrics)
        others = (second, job.run.picture(step), job.run.zigzag(step))
        for path in (job.run.diagrams(step), *(path for path in others if path.exists())):
            check_file(path)
    except DamagedError as error:
        if error.path.exists():
            set_aside(error.path, error.reason)
        metrics.unlink(missing_ok=True)


def _measurement(job: Job, rows: Iterable[Row], skipped: int, seconds: float) -> Measurement:
    metrics = {metric_key(row): row.value for row in rows if row.part == "checkpoint"}
    return Measurement(job.at.step, metrics, skipped, seconds)
