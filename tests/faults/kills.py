"""SIGKILL of each command at a random moment, then the same command again."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from src.metrics.files import read_stored_table
from src.rundir import RunDirectory

from ..support.processes import ENVIRONMENT, command_of, run_module
from ..support.runs import (
    WORDS,
    Reference,
    all_runs,
    arrays,
    finish,
    only_run,
    points_of,
    spooled,
    start,
    stored,
)  # fmt: skip
from .outcome import Fault, Outcome

State = dict[str, object]
"""What a command leaves, by name: equal when it was killed and started again."""


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


@dataclass(frozen=True)
class Command:
    words: list[str]
    """module and arguments"""
    state: Callable[[Path, str], State]
    """from the folder and what the command printed"""

    def start(self, folder: Path) -> subprocess.Popen[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "HYDRA"))}
        return subprocess.Popen(
            [sys.executable, "-m", *self.words], cwd=folder, env=clean | ENVIRONMENT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def finish(self, folder: Path) -> State:
        process = self.start(folder)
        out, error = process.communicate(timeout=600)
        if process.returncode:
            raise RuntimeError(f"status {process.returncode}: {error or out}")
        return self.state(folder, out)


def kill_command(prepare: Callable[[Path], Command]) -> Fault:
    """`prepare` fills a folder with what the command needs; each trial has a copy of it."""

    def trials_of(reference: Reference, trials: int, rng: random.Random) -> Outcome:
        outcome, killed = Outcome(), 0
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            (place / "before").mkdir()
            command = prepare(place / "before")
            begun = time.monotonic()
            wanted = command.finish(shutil.copytree(place / "before", place / "undisturbed"))
            seconds = time.monotonic() - begun
            for trial in range(trials):
                folder = shutil.copytree(place / "before", place / str(trial))
                process = command.start(folder)
                time.sleep(rng.uniform(0.2, 1.0) * seconds)
                process.kill()
                process.communicate()
                killed += process.returncode < 0
                found = command.finish(folder)
                outcome.add(
                    trial, [f"{n}: {found.get(n)} not {wanted[n]}" for n in wanted if found.get(n) != wanted[n]]
                )
                shutil.rmtree(folder)
        outcome.notes.append(f"{killed} before their end")
        return outcome

    return trials_of


def in_mlflow(folder: Path, columns: str = "tags.value, runs.status") -> list[tuple[str, ...]]:
    """Kind and state of each run that was not deleted, or what else of it is asked for."""
    with closing(sqlite3.connect(folder / "multirun" / "mlflow.db")) as connection:
        return sorted(
            connection.execute(
                f"SELECT {columns} FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid"
                " WHERE tags.key = 'kind' AND runs.lifecycle_stage = 'active'"
            )
        )


def analyze(folder: Path) -> Command:
    finish(start(folder))
    words = [f"run={only_run(folder).path.relative_to(folder)}", "tda.subsamples=2", "tda.null_draws=2"]

    def state(folder: Path, out: str) -> State:
        (path,) = (only_run(folder).path / "analysis").iterdir()
        run = RunDirectory(path)
        points = points_of(stored(folder / "multirun" / "mlflow.db", run.mlflow_run_id.read_text()))
        table = read_stored_table(run.table).to_csv()
        return {
            "status": run.read_status()["state"], "table": table, "arrays": arrays(run),
            "spool": points_of(spooled(run)), "points in MLflow": points, "runs": in_mlflow(folder),
        }  # fmt: skip

    return Command(["src.analyze", *words], state)


def compare(folder: Path) -> Command:
    done = run_module("tests.faults.plant", cwd=folder)
    assert done.returncode == 0, done.stderr

    def state(folder: Path, out: str) -> State:
        ((run_id,),) = (row[1:] for row in in_mlflow(folder, "tags.value, runs.run_uuid") if row[0] == "comparison")
        names = sorted(path.name for path in folder.glob(f"multirun/mlartifacts/**/{run_id}/**/*") if path.is_file())
        return {"said": out, "runs": in_mlflow(folder), "files": names}

    return Command(["src.compare", "sweep=first"], state)


def sync(folder: Path) -> Command:
    """A finished run whose store was lost."""
    finish(start(folder))
    for path in (folder / "multirun").glob("ml*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def state(folder: Path, out: str) -> State:
        run = only_run(folder)
        points = points_of(stored(folder / "multirun" / "mlflow.db", run.mlflow_run_id.read_text()))
        return {"points": points, "runs": in_mlflow(folder)}

    return Command(["src.sync"], state)


def sweep(folder: Path) -> Command:
    """Two cells; the parent that waits for them is killed, or whoever runs them with it."""

    def state(folder: Path, out: str) -> State:
        database = folder / "multirun" / "mlflow.db"
        found: State = {"runs": in_mlflow(folder)}
        for run in all_runs(folder):
            name = str(run.path.relative_to(folder))
            points = points_of(stored(database, run.mlflow_run_id.read_text()))
            found |= {name: (arrays(run), points_of(spooled(run)), points, run.read_status()["state"])}
        return found

    return Command(["src.run", "-m", *WORDS, "tda.subsamples=0", "tda.null_draws=2", "seed=0,1"], state)


FAULTS: dict[str, tuple[str, int, Fault]] = {
    "kill": ("SIGKILL of the run at a random moment, same command again", 50, kill_run),
    "kill_analyze": ("SIGKILL of `src.analyze`, same command again", 10, kill_command(analyze)),
    "kill_compare": ("SIGKILL of `src.compare`, same command again", 10, kill_command(compare)),
    "kill_sync": ("SIGKILL of `src.sync`, same command again", 10, kill_command(sync)),
    "kill_sweep": ("SIGKILL of a sweep of two cells, same command again", 10, kill_command(sweep)),
}
