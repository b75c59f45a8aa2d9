"""`python -m tests.faults [trials=<for each>] [fault ...]`: runs disturbed on purpose, against one that is not.

What must hold: the numbers, clouds and weights are those of the undisturbed run, bit for bit, and MLflow has each point
once. All trials take about 40 minutes on two quiet cores.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from src.rundir import RunDirectory
from src.system.jsonl import read_jsonl

from .servers import Gate, MlflowServer

ROOT = Path(__file__).resolve().parents[1]
WORDS = [
    "experiment=smoke", "trainer.max_steps=16", "trainer.warmup_steps=2", "schedule.early=2", "schedule.late=3",
    "probe.size=48", "objective.eval_size=8", "adapter.dropout=0.1", "trainer.progress=false",
]  # fmt: skip
"""The run that is disturbed: dropout, so that a random state that is lost shows."""
Point = tuple[str, int, float]
"""Key, step, value."""


@dataclass
class Outcome:
    trials: int = 0
    wrong: list[str] = field(default_factory=list)
    """what differed, one line a trial"""
    notes: list[str] = field(default_factory=list)

    def add(self, trial: int, differences: list[str]) -> None:
        self.trials += 1
        self.wrong += [f"trial {trial}: {difference}" for difference in differences[:1]]


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The run as a user starts it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "HYDRA"))}
    environment = clean | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}
    return subprocess.Popen(
        [sys.executable, "-m", "src.run", *WORDS, *words], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    """Standard error of a run that must end well."""
    out, error = process.communicate(timeout=600)
    if process.returncode:
        raise RuntimeError(f"status {process.returncode}: {error or out}")
    return error


def only_run(folder: Path) -> RunDirectory:
    return all_runs(folder)[0]


def all_runs(folder: Path) -> list[RunDirectory]:
    return [RunDirectory(path.parent) for path in sorted(folder.glob("multirun/*/*/*/*/config.yaml"))]


# What is compared.


def told(run: RunDirectory) -> list[Point]:
    """All numbers of the spool but what they cost, each as often as it stands there."""
    lines = [line for line, _ in read_jsonl(run.spool)]
    points = [(key, line["step"], value) for line in lines for key, value in line["metrics"].items()]
    return sorted(point for point in points if not point[0].startswith("cost/"))


def stored(database: Path, run_id: str) -> list[Point]:
    """All numbers that MLflow has but what they cost, each as often as it is there."""
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT key, step, value FROM metrics WHERE run_uuid = ?", [run_id]).fetchall()
    connection.close()
    return sorted(row for row in rows if not row[0].startswith("cost/"))


def arrays(run: RunDirectory) -> dict[str, str]:
    """Hash of every cloud, diagram and weight."""
    found = {}
    for path in sorted(run.path.glob("step_*/**/*")):
        if path.suffix == ".safetensors":
            for name, array in sorted(load_file(path).items()):
                found[f"{path.relative_to(run.path)} {name}"] = hashlib.sha256(array.tobytes()).hexdigest()
        elif path.suffix == ".npz":
            with np.load(path) as stored:
                for name in stored.files:
                    found[f"{path.relative_to(run.path)} {name}"] = hashlib.sha256(stored[name].tobytes()).hexdigest()
    return found


@dataclass(frozen=True)
class Reference:
    """The run that nobody disturbs."""

    points: list[Point]
    arrays: dict[str, str]
    seconds: float

    @classmethod
    def make(cls, folder: Path, *words: str) -> Reference:
        begun = time.monotonic()
        finish(start(folder, *words))
        run = only_run(folder)
        return cls(told(run), arrays(run), time.monotonic() - begun)

    def differences(self, run: RunDirectory, database: Path) -> list[str]:
        """What is not as it should be; empty if all is."""
        wrong = []
        if run.read_status()["state"] != "done":
            wrong.append(f"state {run.read_status()['state']}")
        in_mlflow = stored(database, run.mlflow_run_id.read_text())
        for name, points in (("spool", told(run)), ("MLflow", in_mlflow)):
            if points != self.points:
                extra, missing = set(points) - set(self.points), set(self.points) - set(points)
                wrong.append(
                    f"{name}: {len(points)} points, not {len(self.points)}; {len(missing)} missing, {len(extra)} other"
                    f" ({sorted(extra)[:2]})"
                )
        found = arrays(run)
        if found != self.arrays:
            other = sorted(n for n in found.keys() | self.arrays.keys() if found.get(n) != self.arrays.get(n))
            wrong.append(f"{len(other)} arrays differ, such as {other[0]}")
        connection = sqlite3.connect(database)
        runs = connection.execute("SELECT status FROM runs WHERE lifecycle_stage = 'active'").fetchall()
        connection.close()
        if runs != [("FINISHED",)]:
            wrong.append(f"runs in MLflow: {runs}")
        return wrong


# The faults.


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
            while process.poll() is None and not _workers_of(process.pid):
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 0.25) * reference.seconds)
            for worker in _workers_of(process.pid)[:1]:
                os.kill(worker, signal.SIGKILL)
            replaced += "another one takes its place" in finish(process)
            outcome.add(trial, reference.differences(only_run(folder), folder / "multirun" / "mlflow.db"))
    outcome.notes.append(f"{replaced} of the workers had work")
    return outcome


def _workers_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    return [int(child) for child in found if b"spawn_main" in _command(child)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _workers_in(folder: Path) -> list[int]:
    """Workers that are still there some seconds after their run was killed."""
    deadline = time.monotonic() + 10
    while True:
        left = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if b"spawn_main" in _command(path.name) and (path / "cwd").resolve() == folder.resolve():
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


@contextmanager
def serve(folder: Path) -> Iterator[tuple[MlflowServer, Gate]]:
    """An MLflow server and the gate before it, both gone at the end."""
    server = MlflowServer(folder)
    server.start()
    gate = Gate(server.port)
    try:
        yield server, gate
    finally:
        gate.turn("refuse")
        server.kill()


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
            wrong += [str(r.path) for r in runs if stored(database, r.mlflow_run_id.read_text()) != told(r)]
            wrong += [str(run.path) for run in runs if len(told(run)) < 3 * 16]
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


def main(words: list[str]) -> int:
    asked = next((int(word.partition("=")[2]) for word in words if word.startswith("trials=")), None)
    names = [word for word in words if "=" not in word] or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        print(f"unknown fault {', '.join(unknown)}; there are: {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        reference = Reference.make(Path(name))
    print("| fault | trials | as undisturbed | |\n|---|---|---|---|", flush=True)
    broken = 0
    for name in names:
        planted, usual, fault = FAULTS[name]
        outcome = fault(reference, asked or usual, random.Random(name))
        broken += len(outcome.wrong)
        right = outcome.trials - len(outcome.wrong)
        said = "; ".join([*outcome.wrong, *outcome.notes])
        print(f"| {planted} | {outcome.trials} | {right} of {outcome.trials} | {said} |", flush=True)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
