"""What a healthy store is brought, and what one refuses."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.tracking._tracking_service import utils

from src.config import RequestError
from src.tracking.journal import write_entry
from src.tracking.offsets import is_uploaded
from src.tracking.refusals import DeletedRunError, OutageError
from src.tracking.store import open_store
from src.tracking.sync import SyncOutcome, describe_lacking, sync_run
from src.tracking.tracker import refuse_deleted_run, track_run
from tests.support.processes import wait_until
from tests.support.runs import spooled, stored
from tests.support.tracked import STEPS, conclude, configure, directory, log_checkpoint, uploaded


def test_a_checkpoint_is_logged_fast_and_the_spool_says_what_a_healthy_store_holds(stored_here: Path) -> None:
    config, run = configure(None), directory("a")
    with track_run(open_store(config.tracking), config, run, {}, None) as tracker:
        wait_until(lambda: bool(uploaded(tracker).run_id))
        took = log_checkpoint(tracker, 0)
        start = time.perf_counter()
        wait_until(lambda: uploaded(tracker).metrics > 0)
        print(f"400 metrics: {took:.4f} s for the caller, {time.perf_counter() - start:.3f} s more until stored")
        assert took < 0.2
    assert stored(stored_here / "multirun/mlflow.db", run.mlflow_run_id.read_text()) == spooled(run)
    assert json.loads(run.offsets.read_text())["done"]


def test_a_refusal_is_left_out_and_said_once(stored_here: Path, caplog: pytest.LogCaptureFixture) -> None:
    config, run = configure(None), directory("a")
    with track_run(open_store(config.tracking), config, run, {}, None) as tracker:
        for step in STEPS:
            tracker.log({"a name : that ? is not allowed": 1.0}, step)
            tracker.tag({"x" * 300: "too long a name", "fine": "1"})
            tracker.flush()
    assert uploaded(tracker).done
    assert sum("refuses" in record.message for record in caplog.records) == 1
    assert set(uploaded(tracker).left_out) == {"numbers", f"the tag {'x' * 300}"}
    assert sync_run(run, None) is SyncOutcome.LACKING
    assert "MLflow lacks numbers (" in describe_lacking(run)


def test_what_was_refused_is_not_forgotten_when_the_store_goes_away(stored_here: Path) -> None:
    config, run, database = configure(None), directory("a"), stored_here / "multirun/mlflow.db"
    store = open_store(config.tracking)
    with track_run(store, config, run, {}, None) as tracker:
        tracker.tag({"x" * 300: "too long a name"})
    assert uploaded(tracker).done
    assert not is_uploaded(run)
    ended = store.client.get_run(uploaded(tracker).run_id).info.end_time
    aside = database.rename(stored_here / "aside.db")
    database.write_text("no database")
    with pytest.raises(OutageError):
        sync_run(run, None)
    assert not is_uploaded(run)
    aside.replace(database)
    assert sync_run(run, None) is SyncOutcome.LACKING
    assert not is_uploaded(run)
    found = store.client.get_run(uploaded(tracker).run_id).info
    assert (found.status, found.end_time) == ("FINISHED", ended)


@pytest.mark.parametrize("what", ["run", "experiment"])
def test_what_a_deleted_run_refuses_is_brought_when_it_is_restored(
    stored_here: Path, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    config, run = configure(None, patience=1), directory("a")
    store = open_store(config.tracking)
    with track_run(store, config, run, {}, None) as tracker:
        wait_until(lambda: bool(uploaded(tracker).run_id))
        run_id = uploaded(tracker).run_id
        if what == "run":  # somebody tidies up
            store.client.delete_run(run_id)
        else:
            store.client.delete_experiment(store.experiment)
        for step in STEPS:
            log_checkpoint(tracker, step)
    assert not uploaded(tracker).done
    assert f"the MLflow run {run_id} was deleted there" in caplog.text
    with pytest.raises(RequestError, match=rf"mlflow runs restore --run-id {run_id}.*force=true makes another"):
        refuse_deleted_run(store, run)
    if what == "run":
        with pytest.raises(DeletedRunError, match="was deleted there"):
            sync_run(run, None)
    else:
        with pytest.raises(RequestError, match=r"alignment-topology: was deleted in .*mlflow experiments restore"):
            sync_run(run, None)
        store.client.restore_experiment(store.experiment)
    store.client.restore_run(run_id)
    assert sync_run(run, None) is SyncOutcome.UPLOADED
    assert run.mlflow_run_id.read_text() == run_id
    assert stored(stored_here / "multirun/mlflow.db", run_id) == spooled(run)
    refuse_deleted_run(store, run)


def test_what_the_store_lost_of_a_run_is_found_by_counting_and_sent_again(stored_here: Path) -> None:
    config, run, database = configure(None), directory("a"), stored_here / "multirun/mlflow.db"
    store = open_store(config.tracking)
    with track_run(store, config, run, {"kind": "cell"}, None) as tracker:
        for step in (0, 3):
            tracker.log({f"m/{n:04d}": n for n in range(1100)}, step)  # two batches
            tracker.flush()
        log_checkpoint(tracker, 0)
        conclude(tracker)
    run_id = uploaded(tracker).run_id
    wanted = stored(database, run_id)
    one_batch = "DELETE FROM metrics WHERE step = 3 AND key >= 'm/1000'"
    for damage in (one_batch, "DELETE FROM tags WHERE key = 'kind'", "DELETE FROM params",
                   "UPDATE runs SET status = 'RUNNING'"):  # fmt: skip
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(damage)
        assert sync_run(run, None) is SyncOutcome.UPLOADED, damage
        assert sync_run(run, None) is SyncOutcome.COMPLETE, damage
    found = store.client.get_run(run_id)
    assert stored(database, run_id) == wanted
    assert found.data.tags["kind"] == "cell"
    assert found.data.params["objective.name"] == "mixed"
    assert found.info.status == "FINISHED"
    shutil.rmtree(stored_here / "multirun/mlartifacts")
    assert sync_run(run, None) is SyncOutcome.UPLOADED
    assert len(store.client.list_artifacts(run_id, "images")) == 2
    assert [item.path for item in store.client.list_artifacts(run_id, "figures")] == ["figures/0.png"]


def test_a_place_of_files_that_cannot_be_listed_keeps_no_numbers_back(
    stored_here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, run, database = configure(None, patience=1), directory("a"), stored_here / "multirun/mlflow.db"
    store = open_store(config.tracking)
    with track_run(store, config, run, {}, None) as tracker:
        log_checkpoint(tracker, 0)
        conclude(tracker)
    run_id = uploaded(tracker).run_id
    wanted, place = stored(database, run_id), store.client.get_run(run_id).info.artifact_uri

    def move_files(to: str, more: str = "UPDATE runs SET status = 'RUNNING'") -> None:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE runs SET artifact_uri = ?", [to])
            connection.execute(more)
        utils._artifact_repos_cache.clear()  # as in another process

    move_files("gs://bucket/artifacts", "DELETE FROM metrics")  # its library is not installed
    with pytest.raises(OutageError, match="google"):
        sync_run(run, None)
    assert stored(database, run_id) == wanted
    move_files("gs://bucket/artifacts")
    with track_run(store, config, run, {}, None) as again:
        again.log({"later": 1.0}, 9)
    assert len(stored(database, run_id)) == len(wanted) + 1
    assert store.client.get_run(run_id).info.status == "FINISHED"
    assert not uploaded(again).done
    assert "does not answer (No module named 'google" in caplog.text
    move_files(place)
    wait_until(lambda: is_uploaded(run), 20)


def test_a_database_that_is_lost_in_the_middle_is_made_and_filled_again(
    stored_here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, run, database = configure(None), directory("a"), stored_here / "multirun/mlflow.db"
    with track_run(open_store(config.tracking), config, run, {}, None) as tracker:
        for step in STEPS:
            log_checkpoint(tracker, step)
        wait_until(lambda: uploaded(tracker).metrics > 0)
        first = uploaded(tracker).run_id
        database.unlink()
        log_checkpoint(tracker, 7)
    assert uploaded(tracker).done
    assert uploaded(tracker).run_id != first
    assert stored(database, uploaded(tracker).run_id) == spooled(run)
    assert "mlflow.db is gone; it is made again" in caplog.text


def test_a_tag_that_is_added_behind_the_end_does_not_hide_the_end(stored_here: Path) -> None:
    config, run = configure(None), directory("a")
    store = open_store(config.tracking)
    with track_run(store, config, run, {}, None) as tracker:
        pass
    run.offsets.unlink()
    write_entry(run, {"tags": {"also_in_second": "true"}})
    sync_run(run, None)
    found = store.client.get_run(uploaded(tracker).run_id)
    assert found.data.tags["also_in_second"] == "true"
    assert found.info.status == "FINISHED"
    assert json.loads(run.offsets.read_text())["done"]
