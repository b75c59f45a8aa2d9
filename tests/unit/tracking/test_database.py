"""A database that was moved or copied with the files of its runs, and one whose files are gone."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.tracking._tracking_service import utils

from src.config import RequestError, TrackingConfig
from src.rundir import RunDirectory
from src.tracking.database import lock_of
from src.tracking.store import open_store
from src.tracking.sync import SyncOutcome, sync_run
from src.tracking.tracker import track_run
from tests.support.runs import spooled, stored
from tests.support.tracked import conclude, configure, directory, log_checkpoint

RUN = RunDirectory(Path("multirun/a"))


@pytest.fixture
def old(stored_here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run; the current one is another, still empty."""
    old, new = stored_here / "old", stored_here / "new"
    old.mkdir()
    new.mkdir()
    (stored_here / "multirun").rename(old / "multirun")
    monkeypatch.chdir(old)
    config = configure(None)
    with track_run(open_store(config.tracking), config, directory("a"), {"kind": "cell"}, None) as tracker:
        log_checkpoint(tracker, 0)
        conclude(tracker)
    utils._artifact_repos_cache.clear()  # where a run's files are; another process has another one
    monkeypatch.chdir(new)
    return old


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_files_lie_beside_a_database_that_was_taken_elsewhere(
    old: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    if how == "moved":
        (old / "multirun").rename("multirun")
    else:
        shutil.copytree(old / "multirun", "multirun")
    before = sorted(path for path in old.rglob("*"))
    assert sync_run(RUN, None) is SyncOutcome.COMPLETE
    assert "was moved from" in caplog.text
    assert "the files of 1 runs are looked for beside it now" in caplog.text
    store = open_store(configure(None).tracking)
    assert [item.path for item in store.client.list_artifacts(RUN.mlflow_run_id.read_text(), "figures")]
    config = configure(None)
    with track_run(store, config, directory("b"), {"kind": "cell"}, None) as tracker:
        log_checkpoint(tracker, 0)
    place = store.client.get_run(tracker.offsets.run_id).info.artifact_uri
    assert place == (Path.cwd() / "multirun/mlartifacts" / tracker.offsets.run_id / "artifacts").as_uri()
    assert sorted(path for path in old.rglob("*")) == before, "nothing is written at the old place"
    caplog.clear()
    open_store(config.tracking)
    assert not caplog.records, "once"


def test_a_moved_run_that_misses_something_is_brought_to_the_database_beside_it(old: Path) -> None:
    (old / "multirun").rename("multirun")
    RUN.offsets.unlink()
    assert sync_run(RUN, None) is SyncOutcome.UPLOADED
    assert stored(Path("multirun/mlflow.db"), RUN.mlflow_run_id.read_text()) == spooled(RUN)
    assert not (old / "multirun").exists()


def test_a_moved_database_that_takes_no_change_is_refused_with_what_to_do(old: Path) -> None:
    (old / "multirun").rename("multirun")
    with closing(sqlite3.connect("multirun/mlflow.db")) as connection, connection:
        connection.execute(
            "CREATE TRIGGER kept BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'attempt to write here'); END"
        )  # also the superuser, whom no mode of a file keeps from writing
    with pytest.raises(RequestError, match=r"was moved or copied, and .* \(attempt to write here\); make it writable"):
        open_store(configure(None).tracking)


def test_a_run_of_another_folder_is_brought_to_the_database_of_that_folder(old: Path) -> None:
    run = RunDirectory(old / "multirun/a")
    assert sync_run(run, None) is SyncOutcome.COMPLETE
    run.offsets.unlink()
    assert sync_run(run, None) is SyncOutcome.UPLOADED
    assert stored(old / "multirun/mlflow.db", run.mlflow_run_id.read_text()) == spooled(run)
    assert not Path("multirun/mlflow.db").exists()
    assert not Path("multirun/mlartifacts").exists()


def test_a_database_elsewhere_whose_files_are_gone_is_refused_with_the_place(old: Path, stored_here: Path) -> None:
    database = shutil.move(old / "multirun/mlflow.db", stored_here / "team.db")
    shutil.rmtree(old / "multirun")
    uri = f"sqlite:///{database}"
    with pytest.raises(RequestError, match=r"in .*/old/multirun/mlartifacts, which is gone; .* \(mkdir -p "):
        open_store(TrackingConfig(uri=uri))
    (old / "multirun/mlartifacts").mkdir(parents=True)
    assert open_store(TrackingConfig(uri=uri)).experiment


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_the_lock_of_a_store_is_open_to_whom_the_umask_says(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        with lock_of(f"sqlite:///{tmp_path}/mlflow.db"):
            assert (tmp_path / ".mlflow.lock").stat().st_mode & 0o777 == mode
    finally:
        os.umask(before)
