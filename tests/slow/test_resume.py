"""Runs that are killed, stopped or damaged, and what the same command makes of them; the table of faults in short."""

from __future__ import annotations

import random
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.metrics.files import read_stored_table
from src.rundir import RunDirectory
from src.tracking.journal import try_lock
from src.training.fit import read_last_step
from tests.faults.__main__ import FAULTS
from tests.faults.files import Undamaged, run_command, run_trial
from tests.support.disks import fill, small_disk
from tests.support.processes import require, wait_until, workers_of
from tests.support.runs import Reference, arrays, finish, only_run, points_of, spooled, start, stored


def flip(path: Path, place: float) -> None:
    """Change one bit; `place` is where, as a share of the file."""
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)


# Whole runs. One is never disturbed; the others must become it.
@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the run that is never disturbed; nothing is to be changed in it."""
    return tmp_path_factory.mktemp("reference")


@pytest.fixture(scope="module")
def reference(finished: Path) -> Reference:
    return Reference.make(finished)


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


@pytest.mark.slow
def test_damaged_files_never_give_other_numbers(
    finished: Path, stopped: Path, reference: Reference, tmp_path: Path
) -> None:
    """The table of faults in short; `python -m tests.faults files` has it in full."""
    undamaged = Undamaged.make(tmp_path, finished, stopped, reference)
    trials = [
        ("compare", "topology.parquet", "flip"),
        ("sync", "metrics.jsonl", "overwrite"),
        ("sync", "delivered.json", "flip"),
        ("analyze", "step_*/clouds.safetensors", "excise"),
        ("analyze", "config.yaml", "flip"),
        ("analyze", "step_*/floor.safetensors", "delete"),
        ("resume", "metrics.jsonl", "excise"),
    ]
    rng = random.Random(0)
    assert [wrong for trial in trials for wrong in run_trial(undamaged, *trial, rng)] == []


@pytest.mark.slow
def test_an_analysis_of_a_run_that_is_not_done_is_partial_and_gone_on_with(stopped: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(stopped, folder)
    run, few = only_run(folder), ("tda.subsamples=0", "tda.null_draws=0")
    command = ("src.analyze", f"run={run.path}", *few)
    lock = try_lock(run)
    assert lock is not None
    at_work = run_command(folder, *command)
    lock.release()
    assert at_work.status == 2
    assert "it is still at work; analyse it when it is done" in at_work.error
    part = run_command(folder, *command)
    assert part.status == 0, part.error
    assert re.search(r"[23] of the \d checkpoints of \S+, which is not done: a partial analysis", part.out)
    analysis = RunDirectory(next((run.path / "analysis").iterdir()))
    assert analysis.read_status()["state"] == "partial"
    finish(start(folder))
    assert run_command(folder, *command).status == 0
    assert analysis.read_status()["state"] == "done"
    # As if it had never been partial: the same rows, and one run in MLflow.
    table = read_stored_table(analysis.table)
    shutil.rmtree(analysis.path)
    assert run_command(folder, *command).status == 0
    assert read_stored_table(analysis.table).equals(table)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 80 MB that lasts as long as the test."""
    with small_disk(tmp_path / "disk", 80) as made:
        require(made, "no disk can be mounted here")
        yield tmp_path / "disk"


@pytest.mark.slow
def test_a_full_disk_ends_a_run_as_killed_and_it_goes_on_when_there_is_room(
    disk: Path, stopped: Path, reference: Reference
) -> None:
    shutil.copytree(stopped / "multirun", disk / "multirun")
    process, run = start(disk), only_run(disk)
    begun = run.status.stat().st_mtime
    wait_until(lambda: run.status.stat().st_mtime > begun, 240)
    wait_until(lambda: run.reserve.exists(), 60)
    filler = fill(disk)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 1
    assert f"{run.path.resolve()}: the disk is full (0 MB are free; it takes about" in error
    assert "the run ended as KILLED. Make room" in error
    assert "Traceback" not in error, error
    assert len(error.splitlines()) <= 6, error
    assert run.read_status()["state"] == "interrupted"
    refused = start(disk)
    assert re.search(r"needs about \d\d MB more of disk, 0 MB are free; make room", refused.communicate(timeout=300)[1])
    assert refused.returncode == 2
    filler.unlink()
    finish(start(disk))
    assert reference.differences(run, disk / "multirun" / "mlflow.db") == []
