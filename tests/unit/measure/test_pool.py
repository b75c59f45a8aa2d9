"""Workers that measure, fail and die."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.measure.checkpoint import Job
from src.measure.layer import CheckpointSteps
from src.measure.pool import WorkerPool, describe_failure
from src.measure.worker import Worker
from tests.support.builders import RIPS, plant_clouds
from tests.support.measuring import Measure


# Workers that die.
def die_once(marker: Path) -> str:
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done at the second try"


def die_always() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _give(pool: WorkerPool, *work: object) -> object:
    return await pool._run([], *work)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_its_work_tried_once_more(tmp_path: Path) -> None:

    with WorkerPool(2) as pool:
        ask = lambda *work: asyncio.run_coroutine_threadsafe(_give(pool, *work), pool.loop)  # noqa: E731
        hopeless, lucky = ask(die_always), ask(die_once, tmp_path / "marker")
        others = [ask(abs, -n) for n in range(20)]
        assert lucky.result(600) == "done at the second try"
        with pytest.raises(BrokenProcessPool, match="out of memory"):
            hopeless.result(600)
        assert [other.result(600) for other in others] == list(range(20)), "the death of one is no one else's"


X = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)


def test_a_checkpoint_of_which_no_layer_is_finite_fails_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = X.copy()
    broken[7, 3] = np.nan
    run = plant_clouds(tmp_path, s0=X, s2=broken, s3=X)
    with WorkerPool(1) as pool:
        pool.submit(Job(run, run, CheckpointSteps(2, ((2, 3),), 0), RIPS))
        assert list(pool.collect(wait=True)) == []
    assert re.search(r"checkpoint 2 .* every block are not finite at one of the steps 0, 2, 3", caplog.text)


@pytest.mark.slow
def test_workers_give_the_same_numbers_in_the_order_of_the_jobs(tmp_path: Path, measure: Measure) -> None:
    rng = np.random.default_rng(4)
    clouds = {f"s{n}": X + 0.1 * n * rng.normal(size=X.shape).astype(np.float32) for n in range(5)}
    alone = [
        measure(plant_clouds(tmp_path / "alone", **clouds), n, (n, n + 1), previous=n - 1 if n else None)
        for n in range(4)
    ]
    for workers in (1, 2):
        run = plant_clouds(tmp_path / str(workers), **clouds)
        with WorkerPool(workers) as pool:
            for n in range(4):
                pool.submit(Job(run, run, CheckpointSteps(n, ((n, n + 1),), n - 1 if n else None), RIPS))
            done = list(pool.collect(wait=True))
        assert [measured.step for measured in done] == [0, 1, 2, 3]
        assert [measured.metrics for measured in done] == alone


def test_a_checkpoint_that_fails_leaves_the_others_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = plant_clouds(tmp_path, s0=X, s1=np.full_like(X, np.inf), s2=X, s3=X)
    with WorkerPool(1) as pool:
        for step in (0, 2):
            pool.submit(Job(run, run, CheckpointSteps(step, ((step, step + 1),), None), RIPS))
        assert [measured.step for measured in pool.collect(wait=True)] == [2]
    assert pool.failed == [0]
    assert "checkpoint 0 could not be measured" in caplog.text


def test_a_job_that_may_not_fit_into_memory_says_the_sizes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tight = replace(RIPS, max_memory_gb=1e-5, workers=1)
    run = plant_clouds(tmp_path, s0=X, s1=X)
    with WorkerPool(1) as pool:
        pool.submit(Job(run, run, CheckpointSteps(0, ((0, 1),), None), tight))
        assert list(pool.collect(wait=True)) == []
    assert pool.failed == [0]
    assert "H1 of 40 points of 8 coordinates may take" in caplog.text
    assert "tda.max_memory_gb" in caplog.text
    with WorkerPool(1) as pool:  # the clouds are on disk: measured later
        pool.submit(Job(run, run, CheckpointSteps(0, ((0, 1),), None), RIPS))
        assert [measured.step for measured in pool.collect(wait=True)] == [0]


def take_all_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
    np.ones(2**31)


def run_out(*_: object) -> None:
    raise MemoryError("Unable to allocate 16.0 GiB for an array")


def test_memory_that_ran_out_is_said_with_the_points_that_fit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = plant_clouds(tmp_path, s0=X, s1=X)
    job = Job(run, run, CheckpointSteps(0, ((0, 1),), None), replace(RIPS, workers=1))
    with WorkerPool(1, finish=run_out) as pool:  # type: ignore[arg-type]
        pool.submit(job)
        assert list(pool.collect(wait=True)) == []
        with pytest.raises(MemoryError, match="Unable to allocate"):
            asyncio.run_coroutine_threadsafe(_give(pool, take_all_memory), pool.loop).result(60)
    assert pool.failed == [0]
    assert re.search(r"allocate.*; H1 of 40 points was too much.*about 30 points fit \(tda\.points=30\)", caplog.text)
    assert pool.reason in caplog.text
    assert "tda.points=" in describe_failure(BrokenProcessPool("workers died over it"), job)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_worker_that_is_stopped_while_it_starts_or_rests_goes_with_its_pool(
    at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.measure.worker.END_SECONDS", 1.0)
    workers = [Worker(), Worker()]
    assert workers[1].submit(os.getpid).result(60)
    processes = [process for worker in workers for process in worker._processes]
    for process in processes:
        assert process.pid
        os.kill(process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    for worker in workers:
        worker.stop(at_once=at_once)
    assert time.monotonic() - begun < 10
    assert not any(process.is_alive() for process in processes)


def stop_once(flag: str) -> str:
    """Stops its own process the first time."""
    if not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    return "done"


def test_the_work_of_a_worker_that_is_stopped_is_done_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("src.measure.pool.STOPPED_SECONDS", 0.5)
    with WorkerPool(1) as pool:
        work = asyncio.run_coroutine_threadsafe(_give(pool, stop_once, str(tmp_path / "flag")), pool.loop)
        assert work.result(60) == "done"
    assert "was stopped (SIGSTOP) and is ended" in caplog.text
    assert "another one takes its place" in caplog.text
