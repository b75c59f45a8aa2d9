"""One worker process that is replaced when it dies, and dies with the process that it works for."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock, Thread, Timer
from types import ModuleType
from typing import TypeVar

from ..system.secrets import redact_output

T = TypeVar("T")

END_SECONDS = 10.0
"""Seconds that a process without a task gets to end by itself. One that was stopped (SIGSTOP) never does."""

_SET_PARENT_DEATH_SIGNAL = 1
"""Linux's PR_SET_PDEATHSIG."""


class Worker:
    """An executor of one process: where several share one, the death of one fails the work of all."""

    _executor: ProcessPoolExecutor
    _processes: list[BaseProcess]

    def __init__(self) -> None:
        self._lock = Lock()
        self.life = 0
        """Number of the process: the first, the one that replaced it, ..."""
        self._start()

    def _start(self) -> None:
        context, before = multiprocessing.get_context("spawn"), multiprocessing.active_children()
        try:
            with _signals_blocked(), _main_hidden():
                self._executor = ProcessPoolExecutor(1, mp_context=context, initializer=_init_worker)
                self._executor.submit(os.getpid)  # makes the process, which may not answer for a while, or ever
                self._processes = [child for child in multiprocessing.active_children() if child not in before]
        except BaseException:  # a signal that waited until here: nobody else knows of the process
            self.stop(at_once=True)
            raise

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

    def is_stopped(self) -> bool:
        """Whether somebody stopped the process (SIGSTOP); False where the system does not say."""
        return any(_is_stopped(process.pid) for process in self._processes)

    def kill(self) -> None:
        """End the process in the middle of its task, whose future raises BrokenProcessPool."""
        for process in self._processes:
            process.kill()

    def stop(self, *, at_once: bool) -> None:
        """End the process, after its present task or in the middle of it."""
        killing = Timer(0 if at_once else END_SECONDS, self.kill)
        killing.start()
        self._executor.shutdown(wait=True, cancel_futures=True)
        killing.cancel()


def _is_stopped(pid: int | None) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # not Linux, or the process is gone
        return False
    return state == "T"


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """While a process is made: no signal comes between its start and our knowing it.

    The process inherits the mask. Ctrl-C, which a terminal sends to it as well, stays blocked there: the process that
    it works for decides.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_hidden() -> Iterator[None]:
    """While a process is made: it does not import the main module, which has nothing that a worker needs.

    A script of somebody's without `if __name__ == "__main__":` would train in every worker once more.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _init_worker() -> None:
    """BLAS threads of several workers would fight over the cores; a worker whose parent was killed has no end."""
    from threadpoolctl import threadpool_limits

    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if sys.platform == "linux":  # reaches a process that was stopped, too
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    Thread(target=_end_with_parent, name="parent", daemon=True).start()
    redact_output()
    threadpool_limits(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
