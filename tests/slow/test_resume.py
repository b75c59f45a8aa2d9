"""Runs that are killed, stopped or damaged, and what the same command makes of them; the table of faults in short."""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.training.fit import read_last_step
from tests.faults.trials import FAULTS
from tests.support.processes import wait_until, workers_of
from tests.support.runs import Reference, arrays, finish, only_run, points_of, spooled, start, stored


def flip(path: Path, place: float) -> None:
    """Change one bit; `place` is where, as a share of the file."""
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)


# Whole runs. One is never disturbed; the others must become it.
@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference.make(tmp_path_factory.mktemp("reference"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "trials"), [("kill", 1), ("worker", 1)])
def test_a_fault_leaves_no_trace(name: str, trials: int, reference: Reference) -> None:
    _, _, fault = FAULTS[name]
    outcome = fault(reference, trials, random.Random(f"short {name}"))
    assert outcome.trials == trials
    assert outcome.wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_leaves_and_the_same_command_goes_on(
    signum: signal.Signals, reference: Reference, tmp_path: Path
) -> None:
    process = start(tmp_path)
    wait_for_step(tmp_path, 6)
    process.send_signal(signum)
    begun = time.monotonic()
    _, error = process.communicate(timeout=60)
    assert time.monotonic() - begun < 30
    assert process.returncode == 128 + signum
    assert f"{signum.name}: saving, then leaving" in error
    assert "Traceback" not in error
    run, client = only_run(tmp_path), MlflowClient(f"sqlite:///{tmp_path}/multirun/mlflow.db")
    assert run.read_status()["state"] == "interrupted"
    run_id = run.mlflow_run_id.read_text()
    assert client.get_run(run_id).info.status == "KILLED"
    process = start(tmp_path)
    out, error = process.communicate(timeout=600)
    assert "going on from step" in out, error
    assert reference.differences(run, tmp_path / "multirun" / "mlflow.db") == []
    assert run.mlflow_run_id.read_text() == run_id, "the same MLflow run"


def wait_for_step(folder: Path, step: int) -> None:
    deadline = time.monotonic() + 240
    while not any(line for line in folder.rglob(f"step_{step:06d}/clouds.safetensors")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_a_signal_between_the_batches_of_a_step_waits_for_its_end(tmp_path: Path) -> None:
    # Steps of many batches, yet far shorter than the grace that a step in progress has, on a busy machine too.
    process = start(tmp_path, "trainer.batch_size=32", "trainer.micro_batch_size=1")
    wait_for_step(tmp_path, 1)
    run = only_run(tmp_path)
    wait_until(lambda: any(step == 1 and "eval_loss" in key for key, _, _, step in spooled(run)), 240)
    time.sleep(0.5)  # what is done at step 1 is over, and the batches of the next one have begun
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, error
    assert run.read_status()["state"] == "interrupted"
    assert (read_last_step(run) or 0) >= 2


@pytest.mark.slow
def test_a_second_signal_leaves_at_once_and_no_process_stays(tmp_path: Path) -> None:
    process = start(tmp_path, "trainer.batch_size=512")  # steps that take long
    wait_for_step(tmp_path, 0)
    workers = workers_of(process.pid)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    process.communicate(timeout=60)
    assert time.monotonic() - begun < 5
    assert process.returncode == 128 + signal.SIGTERM
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlives its run"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, reference: Reference) -> Path:
    """A run that was killed in the middle of its work, to be copied and damaged."""
    folder = tmp_path_factory.mktemp("stopped")
    process = start(folder)
    wait_for_step(folder, 10)
    process.kill()
    process.communicate()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "damaged",
    [
        ["last.ckpt"],
        ["step_000000/clouds.safetensors", "step_000000/base.safetensors"],
        ["status.json", "step_000000/metrics.json"],
    ],
)
def test_damaged_files_are_named_set_aside_and_made_again(
    damaged: list[str], stopped: Path, reference: Reference, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(stopped, folder)
    run = only_run(folder)
    if "step_000000/clouds.safetensors" in damaged:
        for measured in run.path.glob("step_*/metrics.json"):
            measured.unlink()  # as if the worker had been slower: what is measured needs its clouds no more
    for name in damaged:
        flip(run.path / name, 0.6)
    error = finish(start(folder))
    for name in damaged:
        assert f"{name}: damaged" in error
        assert (run.path / f"{name}.damaged").exists() != name.endswith(".safetensors")
    assert points_of(spooled(run)) == reference.points
    in_mlflow = stored(folder / "multirun" / "mlflow.db", run.mlflow_run_id.read_text())
    assert points_of(in_mlflow) == reference.points
    assert arrays(run) == reference.arrays


@pytest.mark.slow
def test_half_a_line_at_the_end_of_the_spool_ends_no_resumed_run(
    stopped: Path, reference: Reference, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(stopped, folder)
    run = only_run(folder)
    with run.spool.open("ab") as spool:
        spool.write(b'{"step": 11, "timestamp": 17')
    finish(start(folder))
    assert reference.differences(run, folder / "multirun" / "mlflow.db") == []


@pytest.mark.slow
def test_force_starts_over_in_one_new_mlflow_run(stopped: Path, tmp_path: Path, reference: Reference) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(stopped, folder)
    run = only_run(folder)
    before = run.mlflow_run_id.read_text()
    finish(start(folder, "force=true"))
    assert reference.differences(run, folder / "multirun" / "mlflow.db") == []
    assert run.mlflow_run_id.read_text() != before
