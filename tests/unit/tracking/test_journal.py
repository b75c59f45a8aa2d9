"""A journal may come from anybody: nothing is taken for it from beside its directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from src.config import RequestError, TrackingConfig
from src.rundir import RunDirectory
from src.tracking.journal import START_ID, check_journal, file_of
from src.tracking.store import open_store
from src.tracking.sync import sync_run
from src.tracking.tracker import track_run
from tests.support.tracked import configure, directory

START: dict[str, Any] = {
    "uri": None, "experiment": "alignment-topology", "name": "x", "timestamp": 5, "tags": {}, "params": {},
    "replaces": None,
}  # fmt: skip


def write_journal(run: RunDirectory, *entries: Any, **start: Any) -> RunDirectory:
    lines = [{"start": START | start}, *entries, {"end": "FINISHED", "timestamp": 6}]
    run.journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def plant_secret(folder: Path) -> RunDirectory:
    (folder / "secret.txt").write_text("keep")
    run = directory("foreign")
    (run.path / "link").symlink_to(folder / "secret.txt")
    (run.path / "out").symlink_to(folder)
    return run


@pytest.mark.parametrize("kind", ["artifact", "picture"])
@pytest.mark.parametrize(
    "name", ["{}/secret.txt", "../../secret.txt", "link", "out/secret.txt", "x/../../../secret.txt", ".."]
)
def test_a_file_elsewhere_is_refused(place: Path, kind: str, name: str) -> None:
    run, name = plant_secret(place), name.format(place)
    write_journal(run, {kind: name, "folder": None, "key": "k", "step": 0, "timestamp": 5})
    for refused in (lambda: check_journal(run), lambda: file_of(run, name)):
        with pytest.raises(RequestError, match="is not below multirun/foreign; nothing is sent"):
            refused()


@pytest.mark.parametrize(
    "entry",
    [{"start": START}, {"artifact": "a", "folder": "../x"}, {"artifact": "a", "folder": "/x"},
     {"picture": "a", "key": "k", "step": "../../x", "timestamp": 5},
     {"picture": "a", "key": "k", "step": 1, "timestamp": "/../x"}],
    ids=str,
)  # fmt: skip
def test_a_line_that_no_run_writes_is_refused(place: Path, entry: Any) -> None:
    with pytest.raises(RequestError, match="entry 2 is none that a run writes"):
        check_journal(write_journal(directory("foreign"), entry))


def test_nothing_of_a_foreign_journal_reaches_the_store(stored_here: Path) -> None:
    store, uri = open_store(TrackingConfig()), f"sqlite:///{stored_here}/multirun/mlflow.db"
    before = store.client.search_runs([store.experiment])
    run = write_journal(plant_secret(stored_here), {"artifact": "link", "folder": None})
    with pytest.raises(RequestError, match="names the file link"):
        sync_run(run, uri)
    assert store.client.search_runs([store.experiment]) == before


def test_a_journal_deletes_no_run_but_one_that_it_made_by_its_tag(
    stored_here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, store = configure(None), open_store(TrackingConfig())
    with track_run(store, config, directory("victim"), {"kind": "cell", "model": "tiny"}, None) as tracker:
        pass
    victim = tracker.offsets.run_id
    name, cell = store.client.get_run(victim).info.run_name, {"kind": "cell", "model": "tiny"}
    guesses: list[tuple[str, dict[str, str], Any]] = [
        ("x", cell, victim), (name, {}, victim), (name, cell, victim), (name, cell | {START_ID: "0"}, victim),
        (name, cell | {START_ID: "0"}, {"run_id": victim, "start_id": "0"}),
    ]  # fmt: skip
    for number, (called, tags, replaces) in enumerate(guesses):
        foreign = write_journal(directory(f"foreign{number}"), replaces=replaces, name=called, tags=tags)
        sync_run(foreign, store.uri)
        assert store.client.get_run(victim).info.lifecycle_stage == "active"
        assert "is no earlier start of multirun/foreign" in caplog.text
