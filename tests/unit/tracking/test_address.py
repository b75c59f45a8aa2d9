"""Addresses of databases hold wherever multirun/ is moved to."""

from __future__ import annotations

from pathlib import Path

from src.tracking.address import absolute, find_moved, portable


def test_a_database_under_multirun_is_noted_without_its_whole_path(place: Path) -> None:
    here = f"sqlite:///{place}/multirun/mlflow.db"
    assert portable(here) == "sqlite:///multirun/mlflow.db"
    assert absolute(portable(here)) == here
    for other in (f"sqlite:///{place}/elsewhere.db", "http://a:5000", "postgresql://u@h/d"):
        assert portable(other) == absolute(other) == other


def test_a_place_that_an_earlier_version_noted_whole_is_found_after_a_move(place: Path) -> None:
    old = "sqlite:////was/here/multirun/mlflow.db"
    assert find_moved(old) == old
    (place / "multirun").mkdir()
    (place / "multirun/mlflow.db").touch()
    assert find_moved(old) == f"sqlite:///{place}/multirun/mlflow.db"
    assert find_moved("sqlite:////was/here/team.db") == "sqlite:////was/here/team.db"
