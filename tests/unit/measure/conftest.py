"""A worker, and one checkpoint measured in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from src.config import TdaConfig
from src.measure.checkpoint import Job
from src.measure.layer import CheckpointSteps
from src.measure.pool import WorkerPool
from src.rundir import RunDirectory
from tests.support.builders import RIPS
from tests.support.measuring import Measure, measure_job


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1) as started:
        yield started


@pytest.fixture
def measure(pool: WorkerPool) -> Measure:
    """Metrics of one checkpoint by step and pairs."""

    def work(
        run: RunDirectory, step: int, *pairs: tuple[int, int], previous: int | None = None, tda: TdaConfig = RIPS
    ) -> dict[str, float]:
        return measure_job(pool, Job(run, run, CheckpointSteps(step, pairs, previous), tda)).metrics

    return work
