"""`hydra/launcher=submitit_slurm` on a real SLURM: what is cancelled, told of its time limit or requeued goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.rundir import RunDirectory
from tests.support.processes import ENVIRONMENT, require, run_module, wait_until
from tests.support.runs import spooled, stored
from tests.support.slurm import Slurm

pytestmark = pytest.mark.slow

GRID = ["-m", "hydra/launcher=submitit_slurm", "model=tiny,tiny_instruct", "objective=helpful,harmless"]
GRID += ["experiment=smoke", "trainer.max_steps=6", "probe.size=16", "schedule.early=2", "schedule.late=2"]
CELLS = [(model, objective) for model in ("tiny", "tiny_instruct") for objective in ("helpful", "harmless")]
"""In the order of the job array."""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    there = os.geteuid() == 0 and shutil.which("slurmctld") and shutil.which("munged")
    require(bool(there), "needs root and Debian's packages slurm-wlm, slurmctld, slurmd and munge")
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def run_of(place: Path, cell: int) -> RunDirectory | None:
    found = list(place.joinpath("multirun", *CELLS[cell]).rglob("metrics.jsonl"))
    return RunDirectory(found[0].parent) if found else None


def has_begun(place: Path, cell: int) -> bool:
    """Whether the cell has taken its first optimizer step."""
    run = run_of(place, cell)
    return run is not None and "train_loss" in run.spool.read_text()


def test_nothing_of_it_listens_beyond_this_machine(slurm: Slurm) -> None:
    for port in slurm.ports:
        listeners = [
            line.split()[1]
            for name in ("tcp", "tcp6")
            for line in Path("/proc/net", name).read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        ]
        assert listeners == [f"0100007F:{port:04X}"]


def test_processes_that_srun_starts_train_one_run_together(slurm: Slurm, tmp_path: Path) -> None:
    words = [
        "srun", "-n", "2", sys.executable, "-m", "src.run", "experiment=smoke", "trainer.max_steps=4",
        "trainer.warmup_steps=1", "schedule.early=2", "schedule.late=1", "tda=none", "objective.eval_size=4",
        "probe.size=16", "trainer=ddp", "trainer.progress=false",
    ]  # fmt: skip
    environment = os.environ | ENVIRONMENT | slurm.environment
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("3 checkpoints in 4 steps") == 1, "only one of them speaks"
    assert done.stderr.count("where the time went") == 1
    words.append("trainer.devices=1")
    refused = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, env=environment)
    assert refused.returncode == 2
    assert refused.stderr.count("trainer.devices=1, trainer.nodes=1: srun started 2 processes") == 1


def test_a_grid_loses_no_cell_and_no_point(slurm: Slurm, tmp_path: Path) -> None:
    environment = ENVIRONMENT | slurm.environment | {"PATH": "/usr/sbin:/usr/bin:/bin"}
    with subprocess.Popen(
        [sys.executable, "-m", "src.run", *GRID], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=tmp_path, env=environment,
    ) as sweep:  # fmt: skip
        wait_until(lambda: has_begun(tmp_path, 0), 240)
        array = slurm.ask("squeue", "-h", "-o", "%F").split()[0]
        slurm.ask("scancel", "--signal=USR2", f"{array}_0.0")  # what SLURM sends before a time limit
        wait_until(lambda: has_begun(tmp_path, 1), 240)
        slurm.ask("scancel", f"{array}_1")
        wait_until(lambda: has_begun(tmp_path, 2), 240)
        slurm.ask("scontrol", "requeue", f"{array}_2")
        wait_until(lambda: has_begun(tmp_path, 3), 240)
        slurm.ask("scancel", "--signal=TERM", f"{array}_3.0")  # as notice of a preemption
        _, message = sweep.communicate(timeout=400)
    assert sweep.returncode == 1, message
    complaints = [line for line in message.splitlines() if "accounting" not in line]  # of which this SLURM has none
    assert complaints == ["model=tiny objective=harmless: interrupted by SIGTERM; the same command goes on with it"]
    runs = [run for cell in range(4) if (run := run_of(tmp_path, cell))]
    assert [run.read_status()["state"] for run in runs] == ["done", "interrupted", "done", "done"]
    jobs = [tmp_path / f"multirun/.submitit/{array}_{cell}/{array}_{cell}_0_log.out" for cell in range(4)]
    assert ["going on from step" in job.read_text() for job in jobs] == [True, False, True, True]

    again = run_module("src.run", *GRID, cwd=tmp_path, **slurm.environment)
    assert again.returncode == 0, again.stderr
    database = tmp_path / "multirun/mlflow.db"
    client = MlflowClient(f"sqlite:///{database}")
    tracked = client.search_runs([client.get_experiment_by_name("alignment-topology").experiment_id])
    assert {run.mlflow_run_id.read_text() for run in runs} == {run.info.run_id for run in tracked}
    assert {run.info.status for run in tracked} == {"FINISHED"}
    for run in runs:
        assert stored(database, run.mlflow_run_id.read_text()) == spooled(run)
        reported = [(key, step) for key, _, _, step in spooled(run)]
        assert len(reported) == len(set(reported)), "once, whichever start it came from"
