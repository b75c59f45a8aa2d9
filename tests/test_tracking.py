"""A real MLflow store: nothing lost, nothing not finite, honest ends."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.config import Config, ModelConfig, ObjectiveConfig, RequestError, ScheduleConfig, TdaConfig, TrackingConfig
from src.rundir import RunDirectory
from src.tracking.store import open_store
from src.tracking.tracker import track_run

from .conftest import ROOT, run_module


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    return Config(
        model=ModelConfig(name="tiny", path="x", stage="pretrained"), objective=ObjectiveConfig(name="mixed"),
        tda=TdaConfig(name="none"), schedule=ScheduleConfig(kind="linear"),
    )  # fmt: skip


def directory(name: str) -> RunDirectory:
    run = RunDirectory(Path("multirun") / name)
    run.path.mkdir(parents=True)
    return run


def test_numbers_go_to_the_spool_and_to_the_store(config: Config) -> None:
    run, store = directory("a"), open_store(config.tracking)
    with track_run(store, config, run, {"kind": "cell"}, None) as tracker:
        tracker.log({f"velocity/H1/layer_{n:04d}": n for n in range(2500)}, 7)  # more than one call takes
        tracker.log({"a": float("nan"), "b": float("inf"), "c": 1.0}, 8)
        tracker.flush()
    assert tracker.skipped == 2
    client, experiment = store.client, store.experiment
    found = client.get_run(run.mlflow_run_id.read_text())
    assert found.info.status == "FINISHED"
    assert found.data.tags["kind"] == "cell"
    assert found.data.params["objective.name"] == "mixed"
    assert len(found.data.metrics) == 2501
    assert client.get_metric_history(found.info.run_id, "c")[0].step == 8
    lines = [json.loads(line) for line in run.spool.read_text().splitlines()]
    assert [line["step"] for line in lines] == [7, 8]
    assert lines[1]["metrics"] == {"c": 1.0}
    location = client.get_experiment(experiment).artifact_location
    assert location == (Path.cwd() / "multirun" / "mlartifacts").as_uri(), "never below the current directory"


@pytest.mark.parametrize(("error", "status"), [(RuntimeError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_run_ends_as_what_it_was(config: Config, error: type[BaseException], status: str) -> None:
    run, store = directory("a"), open_store(config.tracking)

    def interrupted() -> None:
        with track_run(store, config, run, {}, None) as tracker:
            tracker.log({"x": 1.0}, 0)
            raise error

    with pytest.raises(error):
        interrupted()
    found = store.client.get_run(run.mlflow_run_id.read_text())
    assert found.info.status == status
    assert found.data.metrics == {"x": 1.0}


def test_a_start_that_replaces_another_retires_its_run(config: Config) -> None:
    run, store = directory("a"), open_store(config.tracking)
    left_over = store.client.create_run(store.experiment).info.run_id  # as after a SIGKILL: RUNNING for ever
    with track_run(store, config, run, {}, left_over):
        pass
    active = store.client.search_runs([store.experiment])
    assert [found.info.run_id for found in active] == [run.mlflow_run_id.read_text()]
    assert store.client.get_run(left_over).info.status == "KILLED"


def test_processes_may_meet_at_a_fresh_database(config: Config) -> None:
    script = (
        "from src.config import TrackingConfig\n"
        "from src.tracking.store import open_store\n"
        "print(open_store(TrackingConfig()).experiment)"
    )
    words, environment = [sys.executable, "-c", script], os.environ | {"PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    answers = {process.communicate()[0].strip() for process in started}
    assert len(answers) == 1
    assert MlflowClient("sqlite:///multirun/mlflow.db").get_experiment(answers.pop()).name == "alignment-topology"


def test_a_store_that_cannot_be_reached_is_named(config: Config) -> None:
    with pytest.raises(RequestError, match=r"tracking\.uri=http://127\.0\.0\.1:9"):
        open_store(TrackingConfig(uri="http://127.0.0.1:9"))


def test_a_database_of_another_mlflow_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    database = tmp_path / "multirun" / "mlflow.db"
    few = ["tda=none", "trainer.max_steps=2", "schedule.repeats=1"]
    script = f"from src.config import *; from src.tracking.store import *; open_store(TrackingConfig(uri='sqlite:///{database}'))"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)})
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'acf3f17fdcc7'")
    connection.close()
    before = database.read_bytes()
    done = run_module("src.run", *few, cwd=tmp_path)
    assert done.returncode == 2
    assert "made by another version of MLflow (schema acf3f17fdcc7, this one's is" in done.stderr
    assert "mlflow db upgrade sqlite:///" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert database.read_bytes() == before


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_makes_the_database_spoils_it_for_nobody(tmp_path: Path) -> None:
    database = tmp_path / "multirun" / "mlflow.db"
    script = f"from src.config import *; from src.tracking.store import *; open_store(TrackingConfig(uri='sqlite:///{database}'))"
    words, environment = [sys.executable, "-c", script], os.environ | {"PYTHONPATH": str(ROOT)}
    for size in (50_000, 200_000):
        killed = subprocess.Popen(words, cwd=tmp_path, env=environment)
        partial = database.with_name(f".{killed.pid}.{database.name}")
        while not partial.exists() or partial.stat().st_size < size:
            assert killed.poll() is None, "it was done before it could be killed"
        killed.kill()
        killed.wait()
        assert not database.exists()
    subprocess.run(words, cwd=tmp_path, env=environment, check=True)
    assert [path.name for path in database.parent.glob("*mlflow.db*")] == ["mlflow.db"]
