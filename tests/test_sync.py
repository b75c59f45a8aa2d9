"""A store that is down, dies, hangs, fails or loses its answers: training goes on, and at last nothing is missing."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from PIL import Image

from src.config import Config, ModelConfig, ObjectiveConfig, ScheduleConfig, TdaConfig, TrackingConfig
from src.rundir import RunDirectory
from src.system.jsonl import append_jsonl, read_jsonl
from src.tracking.offsets import load_offsets, read_offsets, save_offsets
from src.tracking.store import open_store
from src.tracking.sync import sync_run
from src.tracking.tracker import Tracker, track_run

from .conftest import ROOT, run_module
from .servers import Gate, MlflowServer

STEPS = range(6)
METRICS = 400
"""What a checkpoint of a large model logs."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    started = MlflowServer(tmp_path_factory.mktemp("server"))
    started.start()
    MlflowClient(f"http://127.0.0.1:{started.port}").search_experiments()  # its first answer takes long
    yield started
    started.kill()


@pytest.fixture
def gate(server: MlflowServer) -> Iterator[Gate]:
    opened = Gate(server.port)
    yield opened
    opened.turn("refuse")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "4")
    return tmp_path


def configure(uri: str | None, *, patience: float = 60) -> Config:
    return Config(
        model=ModelConfig(name="tiny", path="x", stage="pretrained"), objective=ObjectiveConfig(name="mixed"),
        tda=TdaConfig(name="none"), schedule=ScheduleConfig(kind="linear"),
        tracking=TrackingConfig(uri=uri, patience=patience),
    )  # fmt: skip


def directory(name: str) -> RunDirectory:
    run = RunDirectory(Path("multirun") / name)
    run.path.mkdir(parents=True)
    return run


def tell(tracker: Tracker, step: int) -> float:
    """All that a checkpoint tells; returns the seconds that it took."""
    picture = tracker.run.path / f"{step}.png"
    Image.new("RGB", (400, 300), (step, 0, 0)).save(picture)
    start = time.perf_counter()
    tracker.log({f"velocity/H1/layer_{n:04d}": n + step / 7 for n in range(METRICS)}, step)
    tracker.log_picture(picture, "diagrams", step)
    tracker.tag({"last": str(step)})
    tracker.flush()
    return time.perf_counter() - start


def conclude(tracker: Tracker) -> None:
    tracker.log_artifact(tracker.run.path / "0.png", "figures")
    tracker.write_note("# Said at the end")


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def spooled(run: RunDirectory) -> list[tuple[str, float, int, int]]:
    lines = [line for line, _ in read_jsonl(run.spool)]
    return sorted((k, v, line["timestamp"], line["step"]) for line in lines for k, v in line["metrics"].items())


def stored(database: Path, run_id: str) -> list[tuple[str, float, int, int]]:
    connection = sqlite3.connect(database)
    found = connection.execute("SELECT key, value, timestamp, step FROM metrics WHERE run_uuid = ?", [run_id])
    rows = sorted(found)
    connection.close()
    return rows


def check_complete(run: RunDirectory, server: MlflowServer, status: str, steps: int = len(STEPS)) -> Run:
    """Nothing is missing and nothing is there twice; `steps` were told."""
    client = MlflowClient(f"http://127.0.0.1:{server.port}")
    run_id = run.mlflow_run_id.read_text()
    found = client.get_run(run_id)
    assert stored(server.database, run_id) == spooled(run)
    assert len(spooled(run)) == steps * METRICS
    pictures = [item.path for item in client.list_artifacts(run_id, "images")]
    assert len(pictures) == 2 * steps, pictures
    assert found.data.tags["last"] == str(steps - 1)
    assert found.data.tags["kind"] == "cell"
    assert found.data.tags["mlflow.loggedImages"] == "True"
    assert found.data.params["objective.name"] == "mixed"
    if status == "FINISHED":
        assert [item.path for item in client.list_artifacts(run_id, "figures")] == ["figures/0.png"]
        assert found.data.tags["mlflow.note.content"] == "# Said at the end"
    assert found.info.status == status
    same_start = f"attributes.start_time = {found.info.start_time}"
    assert len(client.search_runs([found.info.experiment_id], same_start)) == 1, "one start, one run"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["refuse", "hang", "fail", "lose", "die"])
def test_trouble_in_the_middle_stops_nothing_and_loses_nothing(
    server: MlflowServer, gate: Gate, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    config, run, took = configure(gate.uri), directory("a"), []
    with track_run(open_store(config.tracking), config, run, {"kind": "cell"}, None) as tracker:
        for step in STEPS:
            if step == 2:
                wait_until(lambda: (read_offsets(run) or tracker.offsets).metrics > 0)
                server.kill() if trouble == "die" else gate.turn(trouble)
            took.append(tell(tracker, step))
            if step == 4:
                wait_until(lambda: len(caplog.records) > 0)
                server.start() if trouble == "die" else gate.turn("pass")
        conclude(tracker)
    print(f"{trouble}: a flush took its caller {max(took):.3f} s at most")
    assert max(took) < 5
    check_complete(run, server, "FINISHED")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2, said
    assert said[0].startswith("MLflow takes nothing (")
    assert said[1].startswith("MLflow is back")
    assert not any("\n" in line for line in said)


@pytest.mark.slow
def test_a_server_that_closes_idle_connections_is_no_outage(
    server: MlflowServer, caplog: pytest.LogCaptureFixture
) -> None:
    config, run = configure(f"http://127.0.0.1:{server.port}"), directory("a")
    with track_run(open_store(config.tracking), config, run, {"kind": "cell"}, None) as tracker:
        for step in STEPS:
            tell(tracker, step)
            time.sleep(6 if step == 2 else 0)  # uvicorn keeps a connection for 5 s
        conclude(tracker)
    check_complete(run, server, "FINISHED")
    assert not caplog.records


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["refuse", "lose"])
def test_a_run_that_begins_while_the_store_is_gone_is_made_later(
    server: MlflowServer, gate: Gate, trouble: str
) -> None:
    """As the second cell of a sweep; its process lives on, and delivers what it left when the server is back."""
    config, run = configure(gate.uri, patience=0.5), directory("a")
    store = open_store(config.tracking)
    gate.turn(trouble)
    start = time.monotonic()
    with track_run(open_store(config.tracking), config, run, {"kind": "cell"}, None) as tracker:
        for step in STEPS:
            tell(tracker, step)
        conclude(tracker)
    assert time.monotonic() - start < 10, "bounded"
    assert not run.mlflow_run_id.exists()
    assert sync_run(run, None) == "still at work, left alone"
    gate.turn("pass")
    wait_until(lambda: tracker.offsets.done)
    check_complete(run, server, "FINISHED")
    assert store is open_store(config.tracking)


ENVIRONMENT = {"PYTHONPATH": str(ROOT), "MLFLOW_HTTP_REQUEST_TIMEOUT": "4", "OMP_NUM_THREADS": "1"}
SCRIPT = """
import sys
from tests.test_sync import *
uri, patience = sys.argv[1:]
config = configure(uri, patience=float(patience))
with track_run(open_store(config.tracking), config, directory("a"), {"kind": "cell"}, None) as tracker:
    for step in STEPS:
        print(tell(tracker, step), flush=True)
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
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert said.count("MLflow takes nothing") <= 1, "only if it was gone for more than one request"
    assert said.count("not all of it reached MLflow (") == said.count("python -m src.sync") == 1
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

    assert sync_run(run, None) is None, "it missed nothing"
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
    assert sync_run(run, None) == "still at work, left alone"
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
        _, said = sweep.communicate(timeout=400)
    assert sweep.returncode == 0, said
    runs = [RunDirectory(path.parent) for path in sorted(Path("multirun").rglob("status.json"))]
    assert [run.read_status()["state"] for run in runs] == ["done", "done"]
    assert not runs[1].mlflow_run_id.exists()
    for run in runs:
        assert run.log.read_text().count("MLflow takes nothing") <= 1
        assert run.log.read_text().count("not all of it reached MLflow (") == 1
    assert said.count("not all of it reached MLflow (") == 2, "once a run"
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


def test_a_checkpoint_is_logged_fast_and_the_spool_says_what_a_healthy_store_holds(place: Path) -> None:
    config, run = configure(None), directory("a")
    with track_run(open_store(config.tracking), config, run, {}, None) as tracker:
        wait_until(lambda: bool(tracker.offsets.run_id))
        took = tell(tracker, 0)
        start = time.perf_counter()
        wait_until(lambda: tracker.offsets.metrics > 0)
        print(f"400 metrics: {took:.4f} s for the caller, {time.perf_counter() - start:.3f} s more until stored")
        assert took < 0.2
    assert stored(place / "multirun/mlflow.db", run.mlflow_run_id.read_text()) == spooled(run)
    assert json.loads(run.offsets.read_text())["done"]


def test_a_refusal_is_left_out_and_said_once(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    config, run = configure(None), directory("a")
    store = open_store(config.tracking)
    with track_run(store, config, run, {}, None) as tracker:
        wait_until(lambda: bool(tracker.offsets.run_id))
        store.client.delete_run(tracker.offsets.run_id)  # somebody tidies up
        for step in STEPS:
            tell(tracker, step)
    assert tracker.offsets.done
    assert len(caplog.records) == 1
    assert "refuses metrics" in caplog.text


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    append_jsonl(path, {"a": 1})
    with path.open("a") as file:
        file.write('{"b": ')
    assert [entry for entry, _ in read_jsonl(path)] == [{"a": 1}]
    append_jsonl(path, {"c": 3})
    assert [entry for entry, _ in read_jsonl(path)] == [{"a": 1}, {"c": 3}]
    offset = next(read_jsonl(path))[1]
    assert [entry for entry, _ in read_jsonl(path, offset)] == [{"c": 3}]


def test_what_is_noted_holds_for_one_start_and_one_store(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    progress = load_offsets(run, "sqlite:///a.db", 1)
    assert read_offsets(run) is None
    save_offsets(run, progress, journal=0, ended=True)
    append_jsonl(run.journal, {"start": {}})
    assert load_offsets(run, "sqlite:///a.db", 1) == progress == read_offsets(run)
    for other in (("sqlite:///b.db", 1), ("sqlite:///a.db", 2)):
        assert not load_offsets(run, *other).ended
