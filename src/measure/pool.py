"""Worker processes that measure checkpoints while training goes on.

Processes, not threads: persistent homology holds the interpreter lock. Spawned, not forked: torch has threads running.
What one worker does at a time is small, one layer of one step or checkpoint, so that all of them have work; what must
wait for what is written as coroutines, run by an event loop in a thread of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import TypeVar

from ..clouds.store import cloud_size, layer_names
from ..config.memory import describe_fit
from ..metrics.table import Row
from .checkpoint import (
    Job,
    Measurement,
    measure_all_layers,
    measure_layer,
    read_checkpoint,
    with_second,
    write_checkpoint,
)
from .layer_diagrams import discard_damaged, merge_layer_diagrams, store_layer_diagram
from .worker import Worker

T = TypeVar("T")
Finish = Callable[[Job, list[Row], float], Measurement]

TRIES = 2
"""Times that a task is given to a worker that dies over it."""

STOPPED_SECONDS = 10.0
"""How often a worker that has a task is looked at."""

logger = logging.getLogger(__name__)


class WorkerPool:
    """A persistent pool; results come back in the order of the jobs, the same for any number of workers."""

    def __init__(self, workers: int = 1, finish: Finish = write_checkpoint) -> None:
        """`workers`: number of processes; `finish`: what is done at last with a checkpoint's rows, in a worker."""
        self.finish = finish
        self.workers: list[Worker] = []
        try:
            for _ in range(workers):
                self.workers.append(Worker())
        except BaseException:  # a signal: nobody else knows of those that are there
            self._stop_workers(at_once=True)
            raise
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, name="measure", daemon=True)
        self.thread.start()
        self.free: asyncio.Queue[Worker] = asyncio.Queue()
        """Workers without a task: a worker has one at a time, so that its death is the fault of none but that one.
        Other tasks wait as coroutines, a few bytes each."""
        for worker in self.workers:
            self.free.put_nowait(worker)
        self.steps: dict[Path, asyncio.Task[None]] = {}
        """Diagrams of each step, under way or done: checkpoints share them."""
        self.pending: deque[tuple[Job, Future[Measurement]]] = deque()
        self.failed: list[int] = []
        """Checkpoints whose measurement raised; their clouds are on disk."""
        self.reason = ""
        """Why the first of them did."""

    def submit(self, job: Job) -> None:
        """Take a job whose clouds are on disk; returns at once."""
        self.pending.append((job, asyncio.run_coroutine_threadsafe(self._measure(job), self.loop)))

    def collect(self, *, wait: bool = False, before: int = 0) -> Iterator[Measurement]:
        """Measurements that are ready, in order; with `wait`, all that are still under way.

        Args:
            before: wait for those of earlier checkpoints than this step.
        """
        while self.pending and (wait or self.pending[0][0].at.step < before or self.pending[0][1].done()):
            job, future = self.pending.popleft()
            try:
                yield future.result()
            except (ValueError, MemoryError, BrokenProcessPool) as error:
                self.failed.append(job.at.step)
                self.reason = self.reason or describe_failure(error, job)
                logger.error("checkpoint %d could not be measured: %s", job.at.step, describe_failure(error, job))

    async def _measure(self, job: Job) -> Measurement:
        spent: list[float] = []
        earlier = await self._run(spent, read_checkpoint, job)
        if earlier is not None:
            return earlier
        layers = layer_names(job.source.clouds(job.at.step))
        parts = await asyncio.gather(
            *(self._measure_layers(each, layers, spent) for each in await self._run(spent, with_second, job))
        )
        rows = [row for part in parts for row in part]
        return await self._run(spent, self.finish, job, rows, sum(spent))

    async def _measure_layers(self, job: Job, layers: list[str], spent: list[float]) -> list[Row]:
        """The rows of all layers by one metric, when the diagrams that they are of are there."""
        for step in job.at.steps:
            if job.run.diagrams(step) not in self.steps:
                making = self._make_diagrams(job, step, layers, spent)
                self.steps[job.run.diagrams(step)] = asyncio.ensure_future(making)
        await asyncio.gather(*(self.steps[job.run.diagrams(step)] for step in job.at.steps))
        tasks = [self._run(spent, measure_layer, job, layer) for layer in layers]
        if job.tda.neighbors and not job.is_second:
            tasks.append(self._run(spent, measure_all_layers, job))
        parts = await asyncio.gather(*tasks)
        return [row for part in parts for row in part]

    async def _make_diagrams(self, job: Job, step: int, layers: list[str], spent: list[float]) -> None:
        await self._run(spent, discard_damaged, job.run, step)
        await asyncio.gather(
            *(self._run(spent, store_layer_diagram, job.source, job.run, step, layer, job.tda) for layer in layers)
        )
        await self._run(spent, merge_layer_diagrams, job.run, step, layers)

    async def _run(self, spent: list[float], work: Callable[..., T], *args: object) -> T:
        """`work(*args)` in a worker; the seconds that it took there are added to `spent`.

        Raises:
            BrokenProcessPool: if one worker after another died over it.
        """
        for tries_left in reversed(range(TRIES)):
            worker = await self.free.get()
            life = worker.life
            try:
                done, seconds = await _outlast(worker, asyncio.wrap_future(worker.submit(_timed, work, *args)))
            except BrokenProcessPool as error:
                worker.replace(life)
                if not tries_left:
                    raise BrokenProcessPool("workers died over it, as they do when they run out of memory") from error
                logger.warning("a worker process died; another one takes its place and its work")
            else:
                spent.append(seconds)
                return done
            finally:
                self.free.put_nowait(worker)
        raise AssertionError("unreachable")

    def _stop_workers(self, *, at_once: bool) -> None:
        for worker in self.workers:
            worker.stop(at_once=at_once)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After a fault the queued jobs are worth nothing here; their clouds are on disk.
        asyncio.run_coroutine_threadsafe(_cancel_others(), self.loop).result()
        self._stop_workers(at_once=error is not None)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def describe_failure(error: BaseException, job: Job) -> str:
    """What went wrong, and where it was memory, how many points fit into it."""
    if not isinstance(error, (MemoryError, BrokenProcessPool)):
        return str(error)
    clouds = job.source.clouds(job.at.step)
    points, _ = cloud_size(clouds, layer_names(clouds)[0])
    return f"{error or 'out of memory'}; {describe_fit(job.tda, points)}"


def _timed(work: Callable[..., T], *args: object) -> tuple[T, float]:
    start = time.perf_counter()
    return work(*args), time.perf_counter() - start


async def _outlast(worker: Worker, task: asyncio.Future[T]) -> T:
    """What a task comes to; a worker that was stopped and is not let go on is killed, so that another takes its work.

    It must be seen stopped twice: a terminal's Ctrl-Z stops this process as well, and both go on together.
    """
    seen = False
    try:
        while not (await asyncio.wait([task], timeout=STOPPED_SECONDS))[0]:
            was_seen, seen = seen, worker.is_stopped()
            if seen and was_seen:
                logger.warning("a worker process was stopped (SIGSTOP) and is ended")
                worker.kill()
    except asyncio.CancelledError:
        task.cancel()  # which waiting for it does not
        raise
    return task.result()


async def _cancel_others() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
