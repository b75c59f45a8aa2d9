"""Whole runs in processes of their own: started, found again, and what they leave on disk and in MLflow."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Run
from safetensors.numpy import load_file

from src.rundir import RunDirectory
from src.system.jsonl import read_jsonl

from .processes import ROOT, run_module

Row = tuple[str, float, int, int]
"""Key, value, milliseconds since 1970, step."""
Point = tuple[str, int, float]
"""Key, step, value."""


def only_run(folder: Path) -> RunDirectory:
    return all_runs(folder)[0]


def all_runs(folder: Path) -> list[RunDirectory]:
    return [RunDirectory(path.parent) for path in sorted(folder.glob("multirun/*/*/*/*/config.yaml"))]


def spooled(run: RunDirectory) -> list[Row]:
    """All numbers of the spool, each as often as it stands there."""
    lines = [line for line, _ in read_jsonl(run.spool)]
    return sorted((k, v, line["timestamp"], line["step"]) for line in lines for k, v in line["metrics"].items())


def stored(database: Path, run_id: str) -> list[Row]:
    """All numbers that MLflow has, each as often as it is there."""
    connection = sqlite3.connect(database)
    found = connection.execute("SELECT key, value, timestamp, step FROM metrics WHERE run_uuid = ?", [run_id])
    rows = sorted(found)
    connection.close()
    return rows


def client_here() -> MlflowClient:
    """Of the store in the current directory. MLflow keeps stores by address: a relative one is of another test."""
    return MlflowClient(f"sqlite:///{Path.cwd()}/multirun/mlflow.db")


def points_of(rows: Iterable[Row]) -> list[Point]:
    """What two runs have in common: not when a number was told, nor what it cost."""
    return sorted((key, step, value) for key, value, _, step in rows if not key.startswith("cost/"))


def arrays(run: RunDirectory) -> dict[str, str]:
    """Hash of every cloud, diagram and weight."""
    found = {}
    for path in sorted(run.path.glob("step_*/**/*")):
        if path.suffix == ".safetensors":
            for name, array in sorted(load_file(path).items()):
                found[f"{path.relative_to(run.path)} {name}"] = hashlib.sha256(array.tobytes()).hexdigest()
        elif path.suffix == ".npz":
            with np.load(path) as archive:
                for name in archive.files:
                    found[f"{path.relative_to(run.path)} {name}"] = hashlib.sha256(archive[name].tobytes()).hexdigest()
    return found


# One cell, run to its end.


@dataclass(frozen=True)
class Cell:
    cwd: Path
    run: RunDirectory
    client: MlflowClient
    stdout: str
    stderr: str

    @property
    def tracked(self) -> Run:
        return self.client.get_run(self.run.mlflow_run_id.read_text())

    def history(self, key: str) -> dict[int, float]:
        points = self.client.get_metric_history(self.tracked.info.run_id, key)
        assert len({point.step for point in points}) == len(points), f"{key} has two points at one step"
        return {point.step: point.value for point in points}

    def losses(self) -> list[float]:
        lines = [json.loads(line)["metrics"] for line in self.run.spool.read_text().splitlines()]
        return [line["behavior/train_loss"] for line in lines if "behavior/train_loss" in line]


def run_cell(cwd: Path, *words: str) -> Cell:
    done = run_module("src.run", "experiment=smoke", *words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    path = re.search(r"^(multirun/\S+): \d+ checkpoints", done.stdout, re.M)
    assert path, done.stdout
    client = MlflowClient(f"sqlite:///{cwd}/multirun/mlflow.db")
    return Cell(cwd, RunDirectory(cwd / path[1]), client, done.stdout, done.stderr)


# A run that is disturbed, and the one that it must become.

WORDS = [
    "experiment=smoke", "trainer.max_steps=16", "trainer.warmup_steps=2", "schedule.early=2", "schedule.late=3",
    "probe.size=48", "objective.eval_size=8", "adapter.dropout=0.1", "trainer.progress=false",
]  # fmt: skip
"""With dropout, so that a random state that is lost shows."""


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
        return cls(points_of(spooled(run)), arrays(run), time.monotonic() - begun)

    def differences(self, run: RunDirectory, database: Path) -> list[str]:
        """What is not as it should be; empty if all is."""
        wrong = []
        if run.read_status()["state"] != "done":
            wrong.append(f"state {run.read_status()['state']}")
        in_mlflow = stored(database, run.mlflow_run_id.read_text())
        for name, points in (("spool", points_of(spooled(run))), ("MLflow", points_of(in_mlflow))):
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


# A run so small that several of them cost little, and of which each number is rounded alone: nothing is drawn.

SMALL = [
    "experiment=smoke", "trainer.max_steps=8", "trainer.warmup_steps=2", "schedule.early=2", "schedule.late=2",
    "schedule.repeats=1", "schedule.dense_windows=0", "probe.size=32", "probe.batch_size=4", "tda.subsamples=0",
    "tda.null_draws=0", "tda.rtd_points=0", "objective.eval_size=8", "objective.eval_pairs=4", "trainer.progress=false",
]  # fmt: skip
