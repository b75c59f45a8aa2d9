"""Addresses of databases hold wherever multirun/ is moved to."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.rundir import RunDirectory
from src.tracking.address import find_noted, portable

HERE = RunDirectory(Path("multirun/a/b/c/seed0"))


def test_a_database_under_multirun_is_noted_without_its_whole_path(place: Path) -> None:
    here = f"sqlite:///{place}/multirun/mlflow.db"
    assert portable(here, HERE) == "sqlite:///multirun/mlflow.db"
    assert find_noted(portable(here, HERE), HERE) == here
    for other in (f"sqlite:///{place}/elsewhere.db", "http://a:5000", "postgresql://u@h/d"):
        assert portable(other, HERE) == find_noted(other, HERE) == other


def test_a_run_of_another_folder_means_the_database_of_its_own(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = f"sqlite:///{place}/A/multirun/mlflow.db"
    (place / "B").mkdir()
    monkeypatch.chdir(place / "B")
    for path in (f"{place}/A/multirun/a/b/c/seed0", "../A/multirun/a/b/c/seed0"):
        run = RunDirectory(Path(path))
        assert find_noted("sqlite:///multirun/mlflow.db", run) == theirs
        assert portable(theirs, run) == "sqlite:///multirun/mlflow.db"
        ours = f"sqlite:///{place}/B/multirun/mlflow.db"
        assert portable(ours, run) == find_noted(ours, run) == ours


def test_a_run_that_lies_in_no_multirun_notes_whole_addresses(place: Path) -> None:
    run, here = RunDirectory(place / "copied"), f"sqlite:///{place}/multirun/mlflow.db"
    assert portable("sqlite:///multirun/mlflow.db", run) == portable(here, run) == here
    assert find_noted("sqlite:///multirun/mlflow.db", run) == here


def test_a_multirun_that_is_a_link_is_still_the_one_of_its_runs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("A", "B", "scratch"):
        (place / folder).mkdir()
    (place / "A/multirun").symlink_to(place / "scratch")
    there = f"sqlite:///{place}/scratch/mlflow.db"
    for folder in ("A", "B"):
        monkeypatch.chdir(place / folder)
        run = RunDirectory(place / "A/multirun/a/b/c/seed0")
        assert find_noted("sqlite:///multirun/mlflow.db", run) == there
        assert portable(there, run) == "sqlite:///multirun/mlflow.db"


def test_a_place_that_an_earlier_version_noted_whole_is_found_after_a_move(place: Path) -> None:
    old = "sqlite:////was/here/multirun/mlflow.db"
    assert find_noted(old, HERE) == old
    (place / "multirun").mkdir()
    (place / "multirun/mlflow.db").touch()
    assert find_noted(old, HERE) == f"sqlite:///{place}/multirun/mlflow.db"
    assert find_noted("sqlite:////was/here/team.db", HERE) == "sqlite:////was/here/team.db"
