"""`compare_runs` refuses what `python -m src.compare` refuses. What it finds: the notebook that compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from src import compare_runs


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "nothing to compare: give one of sweep=<name>"),
        ({"sweep": "a", "filter": "tags.seed = '0'"}, "sweep, filter: give one of"),
        ({"sweep": "a"}, "mlflow.db: there is no such database"),
        ({"sweep": "a", "config": {"sweeep": 1}}, "sweeep"),
    ],
    ids=str,
)
def test_a_wrong_request_gets_one_message(place: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare_runs(**given)
    assert not list(place.glob("multirun/[!.]*"))
