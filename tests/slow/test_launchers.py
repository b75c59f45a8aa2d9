"""Cells in processes of their own, side by side: word of each reaches the terminal, whatever becomes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from src.rundir import RunDirectory
from tests.support.processes import ENVIRONMENT, Command, wait_until

FEW = ["model=tiny", "experiment=smoke", "trainer.max_steps=6", "probe.size=16", "schedule.early=2", "schedule.late=2"]
FAILING = ["trainer.clip=1e30", "trainer.learning_rate=1e30,1e-3"]
"""The first of two cells diverges at once."""


def states(place: Path) -> list[str]:
    return sorted(json.loads(path.read_text())["state"] for path in place.rglob("status.json"))


@pytest.mark.slow
def test_joblib_runs_cells_side_by_side_and_tells_of_each(command: Command, tmp_path: Path) -> None:
    done = command("src.run", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *FEW, *FAILING)
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("trainer.learning_rate=1e+30: failed: DivergedError: training diverged at optimizer step 1:")
    assert "Traceback" not in done.stderr
    assert "warning" not in done.stderr.lower()
    assert "1 of 2 cells are not done" in done.stdout
    assert states(tmp_path) == ["done", "failed"]
    left = {path.name for path in (tmp_path / "multirun/.hydra").iterdir()}
    assert left == {"multirun.yaml"}


@pytest.mark.slow
def test_joblib_is_told_to_end_and_every_cell_saves_itself(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "src.run", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *FEW]
    with subprocess.Popen(
        [*words, "seed=0,1,2", "trainer.max_steps=2000"], cwd=tmp_path, env=ENVIRONMENT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as sweep:  # fmt: skip
        wait_until(lambda: sum("train_loss" in p.read_text() for p in tmp_path.rglob("metrics.jsonl")) == 2, 240)
        sweep.send_signal(signal.SIGTERM)
        _, message = sweep.communicate(timeout=60)
    assert sweep.returncode == 128 + signal.SIGTERM, message
    runs = [RunDirectory(path.parent) for path in tmp_path.rglob("status.json")]
    assert [run.read_status()["state"] for run in runs] == ["interrupted"] * 2, "the third one was not begun"
    assert all(run.last.exists() for run in runs)
    assert [line.partition(":")[0] for line in message.splitlines()[-3:]] == ["seed=0", "seed=1", "seed=2"]


@pytest.mark.slow
def test_a_local_job_that_is_killed_leaves_the_other_alone(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "src.run", "-m", "hydra/launcher=submitit_local", *FEW, "seed=0,1"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as sweep:
        wait_until(lambda: bool(list(tmp_path.rglob("seed0*/metrics.jsonl"))), 240)
        logs = [path for path in tmp_path.rglob("*_log.out") if "/seed0" in path.read_text()]
        controller = logs[0].parent.name  # submitit names a local job so
        killed = int(Path(f"/proc/{controller}/task/{controller}/children").read_text())
        os.kill(killed, signal.SIGKILL)
        out, message = sweep.communicate(timeout=400)
    assert sweep.returncode == 1, message
    assert len(message.splitlines()) == 1
    assert message.startswith("seed=0: its job ")
    assert "is gone (cancelled, killed, out of memory?), see multirun/.submitit/" in message
    assert "seed=0: failed" in out
    assert states(tmp_path) == ["done", "running"]
