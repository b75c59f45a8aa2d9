"""One worker process that is replaced when it dies, and dies with the process that it works for."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait
from threading import Lock, Thread
from typing import TypeVar

from ..system.secrets import redact_output

T = TypeVar("T")


class Worker:
    """An executor of one process: where several share one, the death of one fails the work of all."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.life = 0
        """Number of the process: the first, the one that replaced it, ..."""
        self._start()

    def _start(self) -> None:
        self._executor = ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn"), initializer=_init_worker
        )
        self._pid = self._executor.submit(os.getpid)

    def submit(self, work: Callable[..., T], *args: object) -> Future[T]:
        """Raises BrokenProcessPool, here or from the future, if the process died."""
        with self._lock:
            return self._executor.submit(work, *args)

    def replace(self, life: int) -> None:
        """A fresh process in place of one that died; nothing if that was done already."""
        with self._lock:
            if life == self.life:
                self._executor.shutdown(wait=False)
                self._start()
                self.life += 1

    def stop(self, *, at_once: bool) -> None:
        """End the process, after its present task or in the middle of it."""
        if at_once and self._pid.done() and self._pid.exception() is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid.result(), signal.SIGKILL)
        self._executor.shutdown(wait=True, cancel_futures=True)


def _init_worker() -> None:
    """BLAS threads of several workers would fight over the cores; a worker whose parent was killed has no end."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    redact_output()
    Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
