"""SIGTERM and SIGINT while a run is at work: the step in progress ends, what there is is saved, the process goes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

GRACE_SECONDS = 15
"""Seconds that a step in progress may take until it is given up; training then goes on from the last saved state."""

EXIT_SECONDS = 20
"""Seconds that a process which was asked to end may take to end its threads and processes."""

logger = logging.getLogger(__name__)


class Interrupted(BaseException):
    """Somebody wants the process to end. No Exception, so that nothing takes it for a fault."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum

    def __str__(self) -> str:
        return signal.Signals(self.signum).name


def announce(signum: int) -> None:
    """One line for a signal that ends a process which has nothing to save."""
    print(f"{signal.Signals(signum).name}: ended", file=sys.stderr, flush=True)


def leave_on_signal() -> None:
    """While a command starts, and has begun nothing: a signal ends the process with one line."""

    def leave(signum: int, frame: FrameType | None) -> None:
        announce(signum)
        os._exit(128 + signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, leave)


def interrupt_on_signal() -> None:
    """Outside of `handle_signals`: the first signal raises `Interrupted` with one line, the second ends the process."""
    received: list[int] = []

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if received:
            leave_at_once(signum)
        received.append(signum)
        announce(signum)
        raise Interrupted(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, interrupt)


def leave_at_once(signum: int) -> NoReturn:
    """End the process and those that it started; some may be stopped, or just starting, and see nothing of it."""
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(128 + signum)


def leave_soon(signum: int) -> None:
    """End the process in `EXIT_SECONDS`, if what still runs in it does not let it end before."""
    timer = threading.Timer(EXIT_SECONDS, leave_at_once, [signum])
    timer.daemon = True
    timer.start()


class SignalHandler:
    """What was asked for by signals. The first is raised as soon as it may be, the second ends the process at once."""

    def __init__(self) -> None:
        self.pending: int | None = None
        self._deferring = False

    @contextmanager
    def defer(self) -> Iterator[None]:
        """Inside, a signal is only kept in `pending`, which the code inside looks at, for at most `GRACE_SECONDS`."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
            signal.alarm(0)
        if self.pending is not None:
            raise Interrupted(self.pending)

    def install(self) -> None:
        """Be the handler of both signals."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self.on_signal)

    def on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self.pending is not None:
            leave_at_once(signum)
        self.pending = signum
        logger.warning("%s: saving, then leaving; once more leaves at once", signal.Signals(signum).name)
        if not self._deferring:
            raise Interrupted(signum)
        signal.alarm(GRACE_SECONDS)

    def on_timeout(self, signum: int, frame: FrameType | None) -> None:
        raise Interrupted(self.pending or signum)


@contextmanager
def handle_signals() -> Iterator[SignalHandler]:
    """Handlers of both signals while the block runs; afterwards those from before."""
    signals = SignalHandler()
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    signal.signal(signal.SIGALRM, signals.on_timeout)
    signals.install()
    try:
        yield signals
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
