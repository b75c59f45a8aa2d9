"""Cells in processes of their own: each has its share of the machine, and word of each reaches the terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from src.config import RequestError
from src.rundir import RunDirectory
from src.sweeps.devices import Machine, split_cores
from src.sweeps.launchers import reject_distributed_launch
from src.sweeps.parent import JobResult, ParentProcess, distinguish

from .conftest import Command
from .test_sync import ENVIRONMENT, wait_until

FEW = ["model=tiny", "experiment=smoke", "trainer.max_steps=6", "probe.size=16", "schedule.early=2", "schedule.late=2"]
FAILING = ["trainer.clip=1e30", "trainer.learning_rate=1e30,1e-3"]
"""The first of two cells ends as NaN, which is no cloud."""
SHARE = """
import os, sys
from pathlib import Path
from src.sweeps.devices import Machine, reserve_devices
gpus, folder = sys.argv[1:]
reserve_devices(Machine(tuple(gpus.split()), tuple(sorted(os.sched_getaffinity(0)))), 2, Path(folder))
print(os.environ.get("CUDA_VISIBLE_DEVICES"), *sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.read()
"""


def test_each_process_has_a_gpu_and_cores_of_its_own_and_a_third_one_waits(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SHARE, "GPU-a GPU-b", str(tmp_path)]
    started = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        for _ in range(2)
    ]
    shares = sorted(process.stdout.readline().split() for process in started if process.stdout)
    cores = sorted(os.sched_getaffinity(0))
    assert shares == [[f"GPU-{'ab'[n]}", *map(str, split_cores(tuple(cores), n, 2))] for n in range(2)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as third:  # fmt: skip
        started[0].kill()
        out, _ = third.communicate(timeout=60)
    assert out.split() in shares
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("cores", "parts", "expected"),
    [(8, 2, [(0, 1, 2, 3), (4, 5, 6, 7)]), (3, 2, [(0,), (1,)]), (2, 3, [(0,), (1,), (0,)])],
)
def test_cores_are_parted_evenly(cores: int, parts: int, expected: list[tuple[int, ...]]) -> None:
    assert [split_cores(tuple(range(cores)), n, parts) for n in range(parts)] == expected


@pytest.mark.parametrize(
    ("visible", "cores", "cells"), [("0,1,2", 64, 3), ("", 64, 32), ("", 2, 2), ("", 1, 1), ("GPU-x", 2, 1)]
)
def test_as_many_cells_at_once_as_gpus_else_one_for_two_cores(visible: str, cores: int, cells: int) -> None:
    gpus = Machine.detect(visible).gpus
    assert Machine(gpus, tuple(range(cores))).default_parallelism == cells


def test_a_cell_is_named_by_what_tells_it_from_the_others(tmp_path: Path) -> None:
    home = ParentProcess("here", os.getpid(), tmp_path / "sweep", None)
    assert home.collect_results() == {}
    home.write_result(10, JobResult(("model=tiny", "seed=1"), 1, "no"))
    home.write_result(2, JobResult(("model=tiny", "seed=0"), 0))
    home.write_result(2, JobResult(("model=tiny", "seed=0"), 1, "later"), replace_earlier=False)
    results = home.collect_results()
    assert results == {2: JobResult(("model=tiny", "seed=0"), 0), 10: JobResult(("model=tiny", "seed=1"), 1, "no")}
    assert distinguish(results) == {2: JobResult(("seed=0",), 0), 10: JobResult(("seed=1",), 1, "no")}
    assert not home.folder.exists()


@pytest.mark.parametrize("environment", [{"WORLD_SIZE": "2", "RANK": "0"}, {"SLURM_STEP_NUM_TASKS": "4"}])
def test_several_processes_at_once_are_refused(command: Command, environment: dict[str, str]) -> None:
    (key, count), *_ = environment.items()
    done = command("src.run", "-m", "seed=0,1", **environment)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{key}={count}: this is one of {count} processes")
    assert "hydra/launcher=submitit_slurm" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert command("src.run", "-m", "seed=0,1", WORLD_SIZE="2", RANK="1").stderr == "", "the first one says it"


def test_a_process_alone_is_not_refused() -> None:
    reject_distributed_launch({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"})  # a batch script, which is one process
    reject_distributed_launch({"SLURM_STEP_NUM_TASKS": "1", "WORLD_SIZE": "1"})
    with pytest.raises(RequestError, match="SUBMITIT_LOCAL_NTASKS=2"):
        reject_distributed_launch({"SUBMITIT_LOCAL_NTASKS": "2", "SUBMITIT_LOCAL_GLOBALID": "0"})


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["hydra/launcher=slurm"], ["hydra/launcher=slurm", "submitit_slurm"]),
        (["hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=long"], ["hydra.launcher.timeout_min=long"]),
        (["hydra/launcher=joblib", "hydra.launcher.jobs=3"], ["hydra.launcher.jobs", "no such key"]),
    ],
    ids=lambda words: " ".join(words),
)
def test_a_wrong_launcher_gets_one_message(command: Command, words: list[str], named: list[str]) -> None:
    done = command("src.run", "-m", *words)
    assert done.returncode == 2
    for part in named:
        assert part in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def states(place: Path) -> list[str]:
    return sorted(json.loads(path.read_text())["state"] for path in place.rglob("status.json"))


@pytest.mark.slow
def test_joblib_runs_cells_side_by_side_and_tells_of_each(command: Command, tmp_path: Path) -> None:
    done = command("src.run", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *FEW, *FAILING)
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("trainer.learning_rate=1e+30: failed: RuntimeError: checkpoints [0, 1, 2, 4] could not")
    assert "Traceback" not in done.stderr
    assert "warn" not in done.stderr.lower()
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
        _, said = sweep.communicate(timeout=60)
    assert sweep.returncode == 128 + signal.SIGTERM, said
    runs = [RunDirectory(path.parent) for path in tmp_path.rglob("status.json")]
    assert [run.read_status()["state"] for run in runs] == ["interrupted"] * 2, "the third one was not begun"
    assert all(run.last.exists() for run in runs)
    assert [line.partition(":")[0] for line in said.splitlines()[-3:]] == ["seed=0", "seed=1", "seed=2"]


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
        out, said = sweep.communicate(timeout=400)
    assert sweep.returncode == 1, said
    assert len(said.splitlines()) == 1
    assert said.startswith("seed=0: its job ")
    assert "is gone (cancelled, killed, out of memory?), see multirun/.submitit/" in said
    assert "seed=0: failed" in out
    assert states(tmp_path) == ["done", "running"]
