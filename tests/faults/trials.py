"""Each fault: what disturbs a run, and what differs afterwards from the run that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..support.processes import ROOT, command_of, workers_of
from ..support.runs import Reference, all_runs, finish, only_run, points_of, spooled, start, stored
from ..support.servers import serve


@dataclass
class Outcome:
    trials: int = 0
    wrong: list[str] = field(default_factory=list)
    """what differed, one line a trial"""
    notes: list[str] = field(default_factory=list)

    def add(self, trial: int, differences: list[str]) -> None:
        self.trials += 1
        self.wrong += [f"trial {trial}: {difference}" for difference in differences[:1]]


def kill_run(reference: Reference, trials: int, rng: random.Random) -> Outcome:
    """SIGKILL at a random moment, then the same command again."""
    outcome = Outcome()
    for trial in range(trials):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            process = start(folder)
            time.sleep(rng.uniform(0.2, 1.0) * reference.seconds)
            process.kill()
            process.communicate()
            orphans = _workers_in(folder)
            finish(start(folder))
            differences = reference.differences(only_run(folder), folder / "multirun" / "mlflow.db")
            outcome.add(trial, differences + ([f"orphans {orphans}"] if orphans else []))
    return outcome


def kill_worker(reference: Reference, trials: int, rng: random.Random) -> Outcome:
    """SIGKILL of a worker process while it is at work."""
    outcome, replaced = Outcome(), 0
    for trial in range(trials):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            process = start(folder)
            while process.poll() is None and not workers_of(process.pid):
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 0.25) * reference.seconds)
            for worker in workers_of(process.pid)[:1]:
                os.kill(worker, signal.SIGKILL)
            replaced += "another one takes its place" in finish(process)
            outcome.add(trial, reference.differences(only_run(folder), folder / "multirun" / "mlflow.db"))
    outcome.notes.append(f"{replaced} of the workers had work")
    return outcome


def _workers_in(folder: Path) -> list[int]:
    """Workers that are still there some seconds after their run was killed."""
    deadline = time.monotonic() + 10
    while True:
        left = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if b"spawn_main" in command_of(path.name) and (path / "cwd").resolve() == folder.resolve():
                    left.append(int(path.name))
            except OSError:
                continue
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def disturb_server(mode: str) -> Callable[[Reference, int, random.Random], Outcome]:
    """A tracking server that refuses, hangs, answers 500, or dies, for some time in the middle of the run."""

    def trials_of(reference: Reference, trials: int, rng: random.Random) -> Outcome:
        outcome = Outcome()
        for trial in range(trials):
            with tempfile.TemporaryDirectory() as name, serve(Path(name)) as (server, gate):
                folder = Path(name) / "run"
                folder.mkdir()
                process = start(folder, f"tracking.uri={gate.uri}")
                while process.poll() is None and not list(folder.rglob("mlflow_run_id")):
                    time.sleep(0.05)
                time.sleep(rng.uniform(0, 0.2) * reference.seconds)
                server.kill() if mode == "die" else gate.turn(mode)
                time.sleep(rng.uniform(0.1, 0.5) * reference.seconds)
                server.start() if mode == "die" else gate.turn("pass")
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


FAULTS: dict[str, tuple[str, int, Callable[[Reference, int, random.Random], Outcome]]] = {
    "kill": ("SIGKILL of the run at a random moment, same command again", 30, kill_run),
    "worker": ("SIGKILL of a worker", 10, kill_worker),
    "refuse": ("tracking server refuses for a while", 5, disturb_server("refuse")),
    "die": ("tracking server is killed and comes back", 5, disturb_server("die")),
    "hang": ("tracking server hangs for a while", 5, disturb_server("hang")),
    "fail": ("tracking server answers 500 for a while", 5, disturb_server("fail")),
    "many": ("8 processes log cells into one fresh store at once", 1, many_at_once),
}
