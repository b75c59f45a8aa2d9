"""Spool and journal of an earlier start that are damaged, and a store that lost what it had."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.rundir import RunDirectory
from src.system.files import DamagedError
from src.system.jsonl import size_of
from src.tracking.journal import find_earlier_run
from src.tracking.mend import Mended, drop_numbers, mend_log
from src.tracking.offsets import read_offsets
from src.tracking.store import open_store
from src.tracking.sync import SyncOutcome, describe_lacking, sync_run
from src.tracking.tracker import track_run
from tests.support.runs import spooled, stored
from tests.support.tracked import STEPS, conclude, configure, directory, log_checkpoint


@pytest.fixture
def run(stored_here: Path) -> RunDirectory:
    """One that the store has all of."""
    config, made = configure(None), directory("a")
    with track_run(open_store(config.tracking), config, made, {"kind": "cell"}, None) as tracker:
        for step in STEPS:
            log_checkpoint(tracker, step)
        conclude(tracker)
    return made


def change(path: Path, before: bytes, after: bytes) -> None:
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after, 1))


def lose_run(run_id: str) -> None:
    """What a database has of a run, as if another one had been put in its place."""
    with closing(sqlite3.connect("multirun/mlflow.db")) as connection, connection:
        for table in ("metrics", "latest_metrics", "params", "tags", "runs"):
            connection.execute(f"DELETE FROM {table} WHERE run_uuid = ?", [run_id])


def test_what_is_whole_is_gone_on_with(run: RunDirectory) -> None:
    assert mend_log(run, size_of(run.spool)) == Mended()
    with run.spool.open("ab") as spool:
        spool.write(b'{"half')
    assert mend_log(run) == Mended()


@pytest.mark.parametrize("how", ["digit", "empty", "gone"])
def test_numbers_that_are_lost_are_made_again_in_another_mlflow_run(run: RunDirectory, how: str) -> None:
    earlier, noted = find_earlier_run(run), size_of(run.spool)
    assert earlier
    assert earlier.start_id
    if how == "digit":
        change(run.spool, b'"step": 3', b'"step": 4')
    elif how == "empty":
        run.spool.write_bytes(b"")
    else:
        run.spool.unlink()
    assert mend_log(run, noted) == Mended(numbers_lost=True, replaces=earlier)
    assert not any(path.exists() for path in (run.spool, run.journal, run.offsets, run.mlflow_run_id))


@pytest.mark.parametrize("how", ["digit", "end", "gone"])
def test_a_damaged_journal_is_begun_anew_and_the_numbers_stay(run: RunDirectory, how: str) -> None:
    earlier, numbers = find_earlier_run(run), spooled(run)
    assert earlier
    run_id = earlier.run_id
    if how == "digit":
        change(run.journal, b"diagrams", b"diagramt")
    elif how == "end":
        run.journal.write_bytes(run.journal.read_bytes()[:3000])
    else:
        run.journal.unlink()
    assert mend_log(run, size_of(run.spool)) == Mended(replaces=earlier)
    assert spooled(run) == numbers
    config = configure(None)
    with track_run(open_store(config.tracking), config, run, {"kind": "cell"}, earlier):
        pass
    client = open_store(config.tracking).client
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert stored(Path("multirun/mlflow.db"), run.mlflow_run_id.read_text()) == numbers, "all of it once"


def test_numbers_that_mlflow_has_and_the_spool_has_not_are_never_there_twice(run: RunDirectory) -> None:
    lines = run.spool.read_bytes().splitlines(keepends=True)
    run.spool.write_bytes(b"".join(lines[:-1]))
    assert mend_log(run).replaces


@pytest.mark.parametrize("damage", [b"", b"{", b"null", b"[1]"])
def test_a_damaged_note_of_what_was_delivered_delivers_all_once_more(run: RunDirectory, damage: bytes) -> None:
    run_id = run.mlflow_run_id.read_text()
    run.offsets.write_bytes(damage)
    assert sync_run(run, None) is SyncOutcome.UPLOADED
    assert run.mlflow_run_id.read_text() == run_id
    assert stored(Path("multirun/mlflow.db"), run_id) == spooled(run)


def test_another_digit_of_the_id_deletes_no_run(run: RunDirectory) -> None:
    run_id = run.mlflow_run_id.read_text()
    digit = b"0" if run_id[5] != "0" else b"1"
    change(run.offsets, run_id.encode(), run_id[:5].encode() + digit + run_id[6:].encode())
    assert read_offsets(run) is None
    run.mlflow_run_id.write_bytes(b"\xff")
    assert sync_run(run, None) is SyncOutcome.UPLOADED
    assert run.mlflow_run_id.read_text() == run_id
    assert MlflowClient(open_store(configure(None).tracking).uri).get_run(run_id).info.lifecycle_stage == "active"


def test_a_store_that_lost_the_run_is_brought_it_again(run: RunDirectory) -> None:
    before, database = run.mlflow_run_id.read_text(), Path("multirun/mlflow.db")
    assert sync_run(run, None) is SyncOutcome.COMPLETE
    lose_run(before)
    assert sync_run(run, None) is SyncOutcome.UPLOADED
    assert run.mlflow_run_id.read_text() != before
    assert stored(database, run.mlflow_run_id.read_text()) == spooled(run)


def test_a_damaged_journal_is_refused_by_name(run: RunDirectory) -> None:
    change(run.journal, b"diagrams", b"diagramt")
    with pytest.raises(DamagedError, match=r"journal\.jsonl: damaged"):
        sync_run(run, None)


def test_a_run_that_is_done_never_ends_as_killed(run: RunDirectory) -> None:
    run.write_status("done")
    lines = run.journal.read_bytes().splitlines(keepends=True)
    assert b"FINISHED" in lines[-1]
    run.journal.write_bytes(b"".join(lines[:-1]))
    run.offsets.unlink()
    with pytest.raises(DamagedError, match="its last lines are gone"):
        sync_run(run, None)


def test_a_damaged_picture_keeps_nothing_else_back_and_is_named(run: RunDirectory) -> None:
    picture = (run.path / "2.png").read_bytes()
    (run.path / "2.png").write_bytes(b"none")
    run.offsets.unlink()
    assert sync_run(run, None) is SyncOutcome.UPLOADED, "MLflow has the picture"
    lose_run(run.mlflow_run_id.read_text())
    for _ in range(2):
        assert sync_run(run, None) is SyncOutcome.LACKING
        assert "the picture diagrams of step 2 (multirun/a/2.png: damaged" in describe_lacking(run)
    assert stored(Path("multirun/mlflow.db"), run.mlflow_run_id.read_text()) == spooled(run)
    (run.path / "2.png").write_bytes(picture)
    assert sync_run(run, None) is SyncOutcome.UPLOADED, "it can be had by now"
    assert sync_run(run, None) is SyncOutcome.COMPLETE


def test_numbers_of_an_abandoned_training_are_dropped_and_sent_by_another_run(run: RunDirectory) -> None:
    earlier, before = find_earlier_run(run), spooled(run)
    assert drop_numbers(run, lambda _, step: step > 99) is None
    assert spooled(run) == before
    assert find_earlier_run(run) == earlier, "nothing is begun anew for nothing"
    kept = "velocity/H1/layer_0001"
    assert drop_numbers(run, lambda key, step: step > 3 or (step == 3 and key != kept)) == earlier
    assert spooled(run) == [row for row in before if row[3] < 3 or (row[3] == 3 and row[0] == kept)]
    assert mend_log(run) == Mended()
    assert drop_numbers(run, lambda *_: True) is None, "there is no run any more to be replaced"
    assert spooled(run) == []
