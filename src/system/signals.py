"""SIGTERM and SIGINT while a run is at work: the step in progress ends, what there is is saved, the process goes."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE = 15
"""Seconds that a step in progress may take until it is given up; training then goes on from the last saved state."""

logger = logging.getLogger(__name__)


class Interrupted(BaseException):
    """Somebody wants the process to end. No Exception, so that nothing takes it for a fault."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum

    def __str__(self) -> str:
        return signal.Signals(self.signum).name


class Interrupts:
    """What was asked for by signals. The first is raised as soon as it may be, the second ends the process at once."""

    def __init__(self) -> None:
        self.wanted: int | None = None
        self._deferring = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Inside, a signal is only noted in `wanted`, for at most `GRACE` seconds: whoever runs looks at it."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
            signal.alarm(0)
        if self.wanted is not None:
            raise Interrupted(self.wanted)

    def attend(self) -> None:
        """Be the handler of both signals."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self.receive)

    def receive(self, signum: int, frame: FrameType | None) -> None:
        if self.wanted is not None:
            os._exit(128 + signum)  # the workers see it and go, too
        self.wanted = signum
        logger.warning("%s: saving, then leaving; once more leaves at once", signal.Signals(signum).name)
        if not self._deferring:
            raise Interrupted(signum)
        signal.alarm(GRACE)

    def give_up(self, signum: int, frame: FrameType | None) -> None:
        raise Interrupted(self.wanted or signum)


@contextmanager
def listening() -> Iterator[Interrupts]:
    """Handlers of both signals while the block runs; afterwards those from before."""
    interrupts = Interrupts()
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    signal.signal(signal.SIGALRM, interrupts.give_up)
    interrupts.attend()
    try:
        yield interrupts
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
