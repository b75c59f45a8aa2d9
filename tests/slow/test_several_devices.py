"""Two processes on one CPU train the run that one process trains, whoever starts them and whichever of them dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from src.metrics.files import read_stored_table
from src.rundir import RunDirectory
from tests.support.processes import ENVIRONMENT, command_of, run_module, wait_until
from tests.support.runs import SMALL, arrays, only_run, points_of, spooled

DDP = [*SMALL, "trainer=ddp", "trainer.devices=2"]
TORCHRUN = ["--nproc-per-node=2", "--master-port=0", "-m", "src.run", *SMALL, "trainer=ddp"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The run of one process."""
    folder = tmp_path_factory.mktemp("alone")
    done = run_module("src.run", *SMALL, cwd=folder, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return only_run(folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("torchrun")


@pytest.fixture(scope="module")
def together(place: Path) -> RunDirectory:
    """The run of two processes that torchrun started."""
    done = run_module("torch.distributed.run", "--standalone", *TORCHRUN, cwd=place, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("checkpoints in 8 steps") == 1, "only one of them speaks"
    return only_run(place)


def test_two_processes_give_losses_clouds_and_metrics_of_one(alone: RunDirectory, together: RunDirectory) -> None:
    one, two = ({(key, step): value for key, step, value in points_of(spooled(run))} for run in (alone, together))
    assert one.keys() == two.keys()
    behaviour = [key for key in one if key[0].startswith("behavior/") and key[0] != "behavior/kl_to_base"]
    np.testing.assert_allclose([two[key] for key in behaviour], [one[key] for key in behaviour], rtol=1e-5)
    for step, folder in alone.steps().items():
        clouds, others = load_file(alone.clouds(step)), load_file(together.clouds(step))
        for layer, cloud in clouds.items():
            bound = 0 if step == 0 else 1e-5 * np.abs(cloud).max()
            assert np.abs(cloud - others[layer]).max() <= bound, (folder, layer)
    one_table, two_table = (measured_of(run) for run in (alone, together))
    assert one_table.index.equals(two_table.index)
    np.testing.assert_allclose(two_table.value, one_table.value, rtol=2e-3, atol=1e-6)


def measured_of(run: RunDirectory) -> pd.DataFrame:
    table = read_stored_table(run.table)
    names = ["drift", "velocity", "naive_velocity", "displacement", "total_persistence"]
    return (
        table[table.quantity.isin(names)].set_index(["step", "layer", "dimension", "quantity", "sample"]).sort_index()
    )


def test_those_that_torchrun_started_leave_together_where_all_is_done(together: RunDirectory, place: Path) -> None:
    done = run_module("torch.distributed.run", "--standalone", *TORCHRUN, cwd=place, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done already, skipped") == 1


def follower_of(process: subprocess.Popen[str]) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return next(int(child) for child in children if b"pipeline.follower" in command_of(child))


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "src.run", *DDP], cwd=folder, env=os.environ | ENVIRONMENT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_for_step(folder: Path, step: int) -> None:
    wait_until(lambda: any(folder.rglob(f"step_{step:06d}/clouds.safetensors")), 240)


def test_a_run_whose_processes_die_or_are_asked_to_end_becomes_the_undisturbed_one(
    together: RunDirectory, tmp_path: Path
) -> None:
    process = start(tmp_path)
    wait_for_step(tmp_path, 2)
    os.kill(follower_of(process), signal.SIGKILL)
    begun = time.monotonic()
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert time.monotonic() - begun < 60
    assert "process 1 was killed; the same command goes on" in error
    assert len(error.splitlines()) < 5
    run = only_run(tmp_path)
    assert run.read_status()["state"] == "failed"

    process = start(tmp_path)
    wait_until(lambda: run.read_status().get("state") == "running", 60)
    wait_for_step(tmp_path, 4)
    follower = follower_of(process)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, error
    wait_until(lambda: not command_of(str(follower)), 10)

    out, error = start(tmp_path).communicate(timeout=300)
    assert "going on from step" in out, error
    assert run.read_status()["state"] == "done"
    assert points_of(spooled(run)) == points_of(spooled(together)), "whoever started them"
    found, wanted = arrays(run), arrays(together)
    assert sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)) == []
