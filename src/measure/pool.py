"""Worker processes that measure checkpoints while training goes on.

Processes, not threads: persistent homology holds the interpreter lock. Spawned, not forked: torch has threads running.
What one worker does at a time is small, one layer of one step or checkpoint, so that all of them have work; what must
wait for what is written as coroutines, run by an event loop in a thread of its own.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from threading import Thread
from types import TracebackType
from typing import TypeVar

from ..clouds.store import layer_names
from .checkpoint import Job, Measurement, measure_layer, write_checkpoint
from .shapes import merge_shapes, store_shape
from .table import Row

T = TypeVar("T")
Finish = Callable[[Job, list[Row], float], Measurement]

logger = logging.getLogger(__name__)


class WorkerPool:
    """One persistent pool per run; results come back in the order of the jobs, the same for any number of workers."""

    def __init__(self, workers: int = 1, finish: Finish = write_checkpoint) -> None:
        """`workers`: number of processes; `finish`: what is done at last with a checkpoint's rows, in a worker."""
        self.finish = finish
        self.executor = ProcessPoolExecutor(
            workers, mp_context=multiprocessing.get_context("spawn"), initializer=_use_one_thread
        )
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, name="measure", daemon=True)
        self.thread.start()
        self.queue = asyncio.Semaphore(4 * workers)
        """Tasks handed to the executor at a time; the others wait as coroutines, a few bytes each."""
        self.steps: dict[int, asyncio.Task[None]] = {}
        """Diagrams of each step, under way or done: checkpoints share them."""
        self.pending: deque[tuple[Job, Future[Measurement]]] = deque()
        self.failed: list[int] = []
        """Checkpoints whose measurement raised; their clouds are on disk."""

    def submit(self, job: Job) -> None:
        """Take a job whose clouds are on disk; returns at once."""
        self.pending.append((job, asyncio.run_coroutine_threadsafe(self._measure(job), self.loop)))

    def collect(self, *, wait: bool = False) -> Iterator[Measurement]:
        """Measurements that are ready, in order; with `wait`, all that are still under way."""
        while self.pending and (wait or self.pending[0][1].done()):
            job, future = self.pending.popleft()
            try:
                yield future.result()
            except ValueError as error:
                self.failed.append(job.step)
                logger.error("checkpoint %d could not be measured: %s", job.step, error)

    async def _measure(self, job: Job) -> Measurement:
        layers = layer_names(job.source.clouds(job.step))
        spent: list[float] = []
        for step in job.steps:
            if step not in self.steps:
                self.steps[step] = asyncio.ensure_future(self._make_diagrams(job, step, layers, spent))
        await asyncio.gather(*(self.steps[step] for step in job.steps))
        parts = await asyncio.gather(*(self._run(spent, measure_layer, job, layer) for layer in layers))
        rows = [row for part in parts for row in part]
        return await self._run(spent, self.finish, job, rows, sum(spent))

    async def _make_diagrams(self, job: Job, step: int, layers: list[str], spent: list[float]) -> None:
        await asyncio.gather(
            *(self._run(spent, store_shape, job.source, job.run, step, layer, job.tda) for layer in layers)
        )
        await self._run(spent, merge_shapes, job.run, step, layers)

    async def _run(self, spent: list[float], work: Callable[..., T], *args: object) -> T:
        """`work(*args)` in a worker; the seconds that it took there are added to `spent`."""
        async with self.queue:
            done, seconds = await asyncio.wrap_future(self.executor.submit(_timed, work, *args))
        spent.append(seconds)
        return done

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After a fault the queued jobs are worth nothing here; their clouds are on disk.
        asyncio.run_coroutine_threadsafe(_cancel_others(), self.loop).result()
        self.executor.shutdown(wait=True, cancel_futures=True)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def _timed(work: Callable[..., T], *args: object) -> tuple[T, float]:
    start = time.perf_counter()
    return work(*args), time.perf_counter() - start


async def _cancel_others() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _use_one_thread() -> None:
    """BLAS threads of several workers would fight over the cores."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
