"""A disk that becomes full while a run writes to it."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from ..support.disks import fill, small_disk
from ..support.runs import Reference, finish, only_run, start
from .outcome import Fault, Outcome

DISK_MB = 80
MOST_LEFT = 4 * 2**20
"""Bytes that are left at most, so that any of the writes that follow is the first that fails."""


def fill_disk(reference: Reference, trials: int, rng: random.Random) -> Outcome:
    """The disk is full at a random write; with room again, the same command makes the same run."""
    outcome, ended = Outcome(), 0
    for trial in range(trials):
        with tempfile.TemporaryDirectory() as name, small_disk(Path(name) / "disk", DISK_MB) as made:
            if not made:
                raise SystemExit("no disk can be mounted here; only the system's administrator can")
            folder = Path(name) / "disk"
            process = start(folder)
            time.sleep(rng.uniform(0.2, 1.0) * reference.seconds)
            filler = fill(folder, leave=rng.randrange(MOST_LEFT))
            _, error = process.communicate(timeout=600)
            ended += process.returncode != 0
            filler.unlink()
            wrong = []
            if process.returncode and ("Make room" not in error and "make room" not in error):
                wrong.append(f"status {process.returncode}: {error[-300:]}")
            if "Traceback" in error:
                wrong.append(f"a traceback: {error.splitlines()[-1]}")
            finish(start(folder))
            outcome.add(trial, wrong + reference.differences(only_run(folder), folder / "multirun" / "mlflow.db"))
    outcome.notes.append(f"{ended} ended for it")
    return outcome


FAULTS: dict[str, tuple[str, int, Fault]] = {
    "full_disk": ("the disk is full at a random write, same command with room", 20, fill_disk),
}
