"""`track_checkpoints` refuses what `python -m src.track` refuses, by the same message, before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from src import track_checkpoints
from tests.support.series import write_checkpoint


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"track.checkpoints=None, track.revisions=\[\]: give one of them"),
        ({"checkpoints": "nowhere/*"}, r"track.checkpoints=nowhere/\*: nothing has such a name"),
        ({"checkpoints": ["out/step1"]}, "only step 1, so nothing moves"),
        ({"checkpoints": "out/*", "overrides": ["track.stps=[1]"]}, "track.stps: no such key"),
        ({"checkpoints": "out/*", "tda": "none"}, "tda=none: measures nothing"),
        ({"checkpoints": "out/*", "model": "a/b"}, "model.name=a/b: must be a name"),
        ({"checkpoints": "out/*", "config": {"tda.pints": 3}}, "tda.pints: no such key"),
        ({"checkpoints": "out/*", "probes": ["one", ""]}, "probes: give a list of prompts that are not empty"),
    ],
    ids=str,
)
def test_a_wrong_request_gets_one_message(place: Path, given: dict[str, Any], message: str) -> None:
    for step in (1, 9):
        write_checkpoint(place / "out" / f"step{step}")
    with pytest.raises(ValueError, match=message):
        track_checkpoints(**given)
    assert [path.name for path in place.iterdir()] == ["out"]
