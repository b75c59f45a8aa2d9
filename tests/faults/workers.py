"""Worker processes that die, are stopped, or get too little memory while a run measures in them."""

from __future__ import annotations

import os
import random
import resource
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ..support.processes import workers_of
from ..support.runs import Reference, finish, only_run, start
from .outcome import Fault, Outcome

LEFT = 2**22
"""Bytes that a worker may still take when its memory is limited."""


def kill_worker(reference: Reference, trials: int, rng: random.Random) -> Outcome:
    """SIGKILL of a worker process while it is at work."""
    return _disturb(reference, trials, rng, lambda worker: os.kill(worker, signal.SIGKILL))


def stop_worker(reference: Reference, trials: int, rng: random.Random) -> Outcome:
    """SIGSTOP of a worker that nobody lets go on."""
    return _disturb(reference, trials, rng, lambda worker: os.kill(worker, signal.SIGSTOP))


def limit_worker(reference: Reference, trials: int, rng: random.Random) -> Outcome:
    """Hardly more memory for a worker than it has at a random moment.

    The run ends as usual, or says what was too much; the same command again, without a limit, makes it whole.
    """

    def limit(worker: int) -> None:
        pages = int(Path(f"/proc/{worker}/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + LEFT
        resource.prlimit(worker, resource.RLIMIT_AS, (most, most))

    return _disturb(reference, trials, rng, limit, word="points fit")


def _disturb(
    reference: Reference, trials: int, rng: random.Random, fault: Callable[[int], None], word: str | None = None
) -> Outcome:
    """`word`: what a run says that may end with status 1; None if it must end well."""
    outcome, replaced, failed = Outcome(), 0, 0
    for trial in range(trials):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            process = start(folder)
            while process.poll() is None and not workers_of(process.pid):
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 0.5) * reference.seconds)
            for worker in workers_of(process.pid)[:1]:
                fault(worker)
            wrong = []
            _, error = process.communicate(timeout=600)
            replaced += "another one takes its place" in error
            if process.returncode:
                failed += 1
                if word is None or word not in error or "Traceback" in error:
                    wrong.append(f"status {process.returncode}: {error[-300:]}")
                finish(start(folder))
            outcome.add(trial, wrong + reference.differences(only_run(folder), folder / "multirun" / "mlflow.db"))
    outcome.notes.append(f"{replaced} replaced, {failed} ended and said why")
    return outcome


FAULTS: dict[str, tuple[str, int, Fault]] = {
    "worker": ("SIGKILL of a worker", 20, kill_worker),
    "stop": ("SIGSTOP of a worker", 5, stop_worker),
    "memory": ("a worker's memory limited at a random moment", 5, limit_worker),
}
