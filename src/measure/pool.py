"""Worker processes that measure checkpoints while training goes on.

Processes, not threads: persistent homology holds the interpreter lock. Spawned, not forked: torch has threads running.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType

from .checkpoint import Job, Measurement

logger = logging.getLogger(__name__)


class WorkerPool:
    """One persistent pool per run; results come back in the order of the jobs."""

    def __init__(self, work: Callable[[Job], Measurement], workers: int = 1) -> None:
        """`work`: what a worker does with a job; `workers`: number of processes."""
        self.work = work
        self.executor = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_use_one_thread,
        )
        self.pending: deque[tuple[Job, Future[Measurement]]] = deque()
        self.failed: list[int] = []
        """Checkpoints whose measurement raised; their clouds are on disk."""

    def submit(self, job: Job) -> None:
        self.pending.append((job, self.executor.submit(self.work, job)))

    def collect(self, *, wait: bool = False) -> Iterator[Measurement]:
        """Measurements that are ready, in order; with `wait`, all that are still under way."""
        while self.pending and (wait or self.pending[0][1].done()):
            job, future = self.pending.popleft()
            try:
                yield future.result()
            except ValueError as error:
                self.failed.append(job.step)
                logger.error("checkpoint %d could not be measured: %s", job.step, error)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After a fault the queued jobs are worth nothing here; their clouds are on disk.
        self.executor.shutdown(wait=True, cancel_futures=kind is not None)


def _use_one_thread() -> None:
    """BLAS threads of several workers would fight over the cores."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
