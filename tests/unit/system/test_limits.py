"""Bounds of time and memory: they end the work inside and leave no trace."""

from __future__ import annotations

import resource
import signal
import threading
import time

import pytest

from src.system.limits import bounded


def test_work_that_takes_too_long_ends() -> None:
    before, clock = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)  # of pytest-timeout
    with pytest.raises(TimeoutError, match=r"more than 0\.05 s"), bounded(0.05, 2**30):
        time.sleep(60)
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == pytest.approx(clock, abs=30)


def test_bounds_inside_others_leave_them_their_time() -> None:
    with pytest.raises(TimeoutError, match=r"more than 0\.1 s"), bounded(0.1, 2**30):
        _wait_within()


def _wait_within() -> None:
    with bounded(5, 2**30):
        pass
    time.sleep(60)


def test_work_that_takes_too_much_ends() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), bounded(5, 2**26):
        bytearray(2**30)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with bounded(5, 2**26):
        bytearray(2**20)


def test_another_thread_has_no_clock() -> None:
    done: list[bool] = []

    def work() -> None:
        with bounded(0.01, 2**30):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
