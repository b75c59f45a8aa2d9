"""One checkpoint measured in a worker."""

from __future__ import annotations

from collections.abc import Callable

from src.measure.checkpoint import Job, Measurement
from src.measure.pool import WorkerPool

Measure = Callable[..., dict[str, float]]
"""From a run directory, a step and pairs to the metrics of that checkpoint."""


def measure_job(pool: WorkerPool, job: Job) -> Measurement:
    pool.submit(job)
    return next(pool.collect(wait=True))
