"""Stores that fail for a while, are full or ask for a password in the middle of a run, and many runs at one store."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ..support.disks import fill, small_disk
from ..support.processes import ROOT
from ..support.runs import Reference, all_runs, finish, only_run, points_of, spooled, start, stored
from ..support.servers import Gate, MlflowServer, serve
from .outcome import Fault, Outcome

Trouble = Callable[[MlflowServer, Gate], AbstractContextManager[None]]
"""What is wrong with a server as long as the block lasts."""

DISK_MB = 60
"""Of the disk that a server's database and files are on; a run takes some 10 MB there."""


@contextmanager
def die(server: MlflowServer, gate: Gate) -> Iterator[None]:
    server.kill()
    yield
    server.start()


@contextmanager
def fill_disk(server: MlflowServer, gate: Gate) -> Iterator[None]:
    filler = fill(server.folder)
    yield
    filler.unlink()


def behave(mode: str) -> Trouble:
    @contextmanager
    def trouble(server: MlflowServer, gate: Gate) -> Iterator[None]:
        gate.turn(mode)
        yield
        gate.turn("pass")

    return trouble


def disturb_server(trouble: Trouble) -> Fault:
    """A tracking server that has trouble for some time in the middle of the run."""

    def trials_of(reference: Reference, trials: int, rng: random.Random) -> Outcome:
        outcome = Outcome()
        for trial in range(trials):
            with (
                tempfile.TemporaryDirectory() as name,
                small_disk(Path(name) / "server", DISK_MB),
                serve(Path(name) / "server") as (server, gate),
            ):
                folder = Path(name) / "run"
                folder.mkdir()
                process = start(folder, f"tracking.uri={gate.uri}")
                while process.poll() is None and not list(folder.rglob("mlflow_run_id")):
                    time.sleep(0.05)
                time.sleep(rng.uniform(0, 0.2) * reference.seconds)
                with trouble(server, gate):
                    time.sleep(rng.uniform(0.1, 0.5) * reference.seconds)
                finish(process)
                synced = subprocess.run(
                    [sys.executable, "-m", "src.sync"], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
                    capture_output=True, text=True,
                )  # fmt: skip
                differences = reference.differences(only_run(folder), server.database)
                outcome.add(trial, differences + ([synced.stderr] if synced.returncode else []))
        return outcome

    return trials_of


def many_at_once(reference: Reference, trials: int, rng: random.Random) -> Outcome:
    """Eight cells at once into one fresh store; each point of each is there once."""
    outcome, cells = Outcome(), 8
    for trial in range(trials):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            processes = [start(folder, "tda=none", f"seed={seed}") for seed in range(cells)]
            for process in processes:
                finish(process)
            database = folder / "multirun" / "mlflow.db"
            runs = all_runs(folder)
            wrong = [] if len(runs) == cells else [f"{len(runs)} cells"]
            wrong += [str(r.path) for r in runs if stored(database, r.mlflow_run_id.read_text()) != spooled(r)]
            wrong += [str(run.path) for run in runs if len(points_of(spooled(run))) < 3 * 16]
            outcome.add(trial, wrong)
    return outcome


FAULTS: dict[str, tuple[str, int, Fault]] = {
    "refuse": ("tracking server refuses for a while", 10, disturb_server(behave("refuse"))),
    "die": ("tracking server is killed and comes back", 10, disturb_server(die)),
    "hang": ("tracking server hangs for a while", 10, disturb_server(behave("hang"))),
    "fail": ("tracking server answers 500 for a while", 10, disturb_server(behave("fail"))),
    "password": ("tracking server takes no login for a while (401)", 10, disturb_server(behave("deny"))),
    "full_server": ("the disk of the tracking server is full for a while", 10, disturb_server(fill_disk)),
    "many": ("8 processes log cells into one fresh store at once", 1, many_at_once),
}
