"""Memory and time that a piece of untrusted work may take in this process."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

if sys.platform != "win32":
    import resource


@contextmanager
def bounded(seconds: float, memory: int) -> Iterator[None]:
    """Inside, work that takes longer or more ends with an error.

    Args:
        seconds: of wall time; looked at in the main thread alone, which is where a run reads its inputs.
        memory: bytes beyond what the process has now; looked at on Linux alone.

    Raises:
        TimeoutError, MemoryError: from the work inside.
    """
    with _limited_time(seconds), _limited_memory(memory):
        yield


@contextmanager
def _limited_time(seconds: float) -> Iterator[None]:
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return

    def raise_timeout(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"takes more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, raise_timeout)
    outer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *outer)  # of bounds around these, which goes on


@contextmanager
def _limited_memory(memory: int) -> Iterator[None]:
    statm = Path("/proc/self/statm")
    if sys.platform == "win32" or not statm.exists():
        yield
        return
    limits = resource.getrlimit(resource.RLIMIT_AS)
    used = int(statm.read_text().split()[0]) * resource.getpagesize()
    wanted = used + memory
    soft = wanted if limits[0] == resource.RLIM_INFINITY else min(wanted, limits[0])
    resource.setrlimit(resource.RLIMIT_AS, (soft, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
