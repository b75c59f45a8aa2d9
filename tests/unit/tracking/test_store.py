"""Stores that are fresh, gone, or made by another MLflow."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import Timeout

from src.config import RequestError, TrackingConfig
from src.tracking.database import lock_of, make_database
from src.tracking.store import open_store
from tests.support.processes import ROOT, run_module
from tests.support.runs import client_here


@pytest.mark.slow
def test_processes_may_meet_at_a_fresh_database(place: Path) -> None:
    script = (
        "from src.config import TrackingConfig\n"
        "from src.tracking.store import open_store\n"
        "print(open_store(TrackingConfig()).experiment)"
    )
    words, environment = [sys.executable, "-c", script], os.environ | {"PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    answers = {process.communicate()[0].strip() for process in started}
    assert len(answers) == 1
    assert client_here().get_experiment(answers.pop()).name == "alignment-topology"


def test_project_folders_that_share_a_database_make_it_one_after_the_other(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = f"sqlite:///{place}/team/mlflow.db"
    for folder in ("one", "two"):
        (place / folder / "multirun").mkdir(parents=True)
    monkeypatch.chdir(place / "one")
    with lock_of(shared):
        monkeypatch.chdir(place / "two")
        with pytest.raises(Timeout):
            lock_of(shared).acquire(blocking=False)


def test_only_what_a_killed_process_left_goes_when_a_database_is_made(place: Path) -> None:
    theirs = {".backup.mlflow.db", ".mlflow.db", ".12.mlflow.db.kept", ".12.other.db"}
    for name in (*theirs, ".12.mlflow.db", ".345.mlflow.db-journal"):
        (place / name).touch()
    make_database(f"sqlite:///{place}/mlflow.db")
    assert {path.name for path in place.iterdir()} == {"mlflow.db", *theirs}


def test_a_store_that_cannot_be_reached_is_named(place: Path) -> None:
    with pytest.raises(RequestError, match=r"tracking\.uri=http://127\.0\.0\.1:9"):
        open_store(TrackingConfig(uri="http://127.0.0.1:9"))


@pytest.mark.slow
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
