"""`python -m src.sync` brings what a run left undelivered, however the run ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.rundir import RunDirectory
from src.tracking.sync import SyncOutcome, sync_run
from tests.support.processes import ENVIRONMENT, run_module, wait_until
from tests.support.runs import all_runs, spooled, stored
from tests.support.servers import Gate, MlflowServer
from tests.support.tracked import check_complete

SCRIPT = """
import sys
from src.tracking.store import open_store
from src.tracking.tracker import track_run
from tests.support.tracked import STEPS, conclude, configure, directory, log_checkpoint
uri, patience = sys.argv[1:]
config = configure(uri, patience=float(patience))
with track_run(open_store(config.tracking), config, directory("a"), {"kind": "cell"}, None) as tracker:
    for step in STEPS:
        print(log_checkpoint(tracker, step), flush=True)
        if step == 2:
            sys.stdin.readline()
    sys.stdin.readline()
    conclude(tracker)
"""


def start_script(uri: str, patience: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, uri, str(patience)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip


def read_lines(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdout is not None
    for _ in range(count):
        assert process.stdout.readline(), process.communicate()[1]


def press_enter(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.slow
def test_what_a_run_leaves_undelivered_is_brought_by_the_command(server: MlflowServer, gate: Gate, place: Path) -> None:
    process = start_script(gate.uri, 1)
    read_lines(process, 3)
    gate.turn("refuse")
    press_enter(process)
    press_enter(process)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 0, message
    assert message.count("MLflow takes nothing") <= 1, "only if it was gone for more than one request"
    assert message.count("not all of it reached MLflow (") == message.count("python -m src.sync") == 1
    run = RunDirectory(Path("multirun/a"))

    still_down = run_module("src.sync", cwd=place)
    assert still_down.returncode == 2
    assert gate.uri in still_down.stderr
    assert len(still_down.stderr.splitlines()) == 1

    gate.turn("pass")
    done = run_module("src.sync", cwd=place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["multirun/a: all of it is in MLflow now", "0 of 1 runs missed nothing"]
    found = check_complete(run, server, "FINISHED")

    assert sync_run(run, None) is SyncOutcome.COMPLETE, "it missed nothing"
    run.offsets.unlink()  # whatever was noted: sent again, nothing is there twice
    sync_run(run, None)
    again = check_complete(run, server, "FINISHED")
    assert again.info.run_id == found.info.run_id
    assert again.info.end_time == found.info.end_time

    elsewhere = f"sqlite:///{place}/multirun/other.db"
    sync_run(run, elsewhere)  # the whole run, into another store
    assert stored(place / "multirun/other.db", run.mlflow_run_id.read_text()) == spooled(run)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [None, "hang"])
def test_a_killed_run_ends_as_killed_with_all_in_it(
    server: MlflowServer, gate: Gate, place: Path, trouble: str | None
) -> None:
    process = start_script(gate.uri, 30)
    read_lines(process, 3)
    if trouble:
        gate.turn(trouble)
    press_enter(process)
    read_lines(process, 3)
    run = RunDirectory(Path("multirun/a"))
    assert sync_run(run, None) is SyncOutcome.IN_USE
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    gate.turn("pass")
    with run.spool.open("a") as spool:
        spool.write('{"step": 6, "timest')  # cut off in the middle of a line
    done = run_module("src.sync", "run=multirun/a", cwd=place)
    assert done.returncode == 0, done.stderr
    found = check_complete(run, server, "KILLED")
    assert abs(found.info.end_time / 1000 - run.spool.stat().st_mtime) < 1, "when it was last seen alive"


@pytest.mark.slow
def test_a_sweep_goes_on_without_its_server_and_is_complete_after_the_command(
    server: MlflowServer, gate: Gate, place: Path
) -> None:
    """The server is gone from the middle of the first run on, and the second one begins without it."""
    few = ["tda=none", "trainer.max_steps=12", "trainer.progress=false", "tracking.patience=1", "seed=0,1"]
    words = [sys.executable, "-m", "src.run", "-m", f"tracking.uri={gate.uri}", "experiment=smoke", *few]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as sweep:
        wait_until(lambda: bool(list(Path("multirun").rglob("mlflow_run_id"))), 240)
        gate.turn("refuse")
        _, message = sweep.communicate(timeout=400)
    assert sweep.returncode == 0, message
    runs = [RunDirectory(path.parent) for path in sorted(Path("multirun").rglob("status.json"))]
    assert [run.read_status()["state"] for run in runs] == ["done", "done"]
    assert not runs[1].mlflow_run_id.exists()
    for run in runs:
        assert run.log.read_text().count("MLflow takes nothing") <= 1
        assert run.log.read_text().count("not all of it reached MLflow (") == 1
    assert message.count("not all of it reached MLflow (") == 2, "once a run"
    gate.turn("pass")
    done = run_module("src.sync", cwd=place)
    assert done.returncode == 0, done.stderr
    for run in runs:
        run_id = run.mlflow_run_id.read_text()
        assert stored(server.database, run_id) == spooled(run)
        found = MlflowClient(f"http://127.0.0.1:{server.port}").get_run(run_id)
        assert found.info.status == "FINISHED"
        assert "fine-tuned" in found.data.tags["mlflow.note.content"]


def test_a_directory_that_is_no_run_is_refused(place: Path) -> None:
    done = run_module("src.sync", "run=nowhere", cwd=place)
    assert done.returncode == 2
    assert done.stderr.startswith("run=nowhere: no run directory")
    assert len(done.stderr.splitlines()) == 1
    done = run_module("src.sync", "rum=nowhere", cwd=place)
    assert done.returncode == 2
    assert "did you mean run" in done.stderr


@pytest.mark.slow
def test_a_run_or_experiment_that_was_deleted_in_mlflow_is_said_before_anything_starts(place: Path) -> None:
    words = ["tda=none", "trainer.max_steps=4", "trainer.warmup_steps=1", "schedule=list", "schedule.steps=[0]"]
    words += ["schedule.repeats=1", "objective.eval_size=4", "probe.size=16", "trainer.progress=false"]
    done = run_module("src.run", *words, cwd=place)
    assert done.returncode == 0, done.stderr
    run = all_runs(Path())[0]
    run_id, client = run.mlflow_run_id.read_text(), MlflowClient(f"sqlite:///{place}/multirun/mlflow.db")
    run.write_status("interrupted")
    client.delete_run(run_id)
    for module, given in (("src.run", words), ("src.sync", [])):
        done = run_module(module, *given, cwd=place)
        assert done.returncode == 2, done.stdout
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert f"mlflow runs restore --run-id {run_id}" in done.stderr
        assert "force=true makes another one" in done.stderr
    assert run.read_status()["state"] == "interrupted"
    client.delete_experiment("1")
    for module, given in (("src.run", [*words, "seed=1"]), ("src.sync", [])):
        done = run_module(module, *given, cwd=place)
        assert done.returncode == 2, done.stdout
        assert "tracking.experiment=alignment-topology: was deleted in sqlite:///" in done.stderr
        assert "mlflow experiments restore --experiment-id 1" in done.stderr
    client.restore_experiment("1")
    client.restore_run(run_id)
    assert sync_run(run, None) is SyncOutcome.COMPLETE
