"""Revisions as the hub's cache holds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import constants

from src.config import RequestError
from src.series.find import find_series
from tests.support.series import asked, write_checkpoint


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three revisions of a model, and a hub that is not asked."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model = tmp_path / "models--some--pythia"
    (model / "refs").mkdir(parents=True)
    for number, step in enumerate((0, 1, 512)):
        commit = str(number) * 40
        (model / "refs" / f"step{step}").write_text(commit)
        write_checkpoint(model / "snapshots" / commit)
    return model


def test_revisions_are_found_in_the_cache(cache: Path) -> None:
    series = find_series(asked("some/pythia", revisions=["step0", "step512", "step1"]))
    assert (series.steps, series.source) == ([0, 1, 512], "revisions")
    assert series.checkpoints[512].path == cache / "snapshots" / ("2" * 40)


def test_one_that_does_not_exist_is_told_the_nearest(cache: Path) -> None:
    with pytest.raises(RequestError, match=r"track.revisions=\[step513,...\]: some/pythia has no such .*step512"):
        find_series(asked("some/pythia", revisions=["step0", "step513"]))


def test_a_folder_has_no_revisions(cache: Path) -> None:
    with pytest.raises(RequestError, match="is a folder"):
        find_series(asked(str(cache), revisions=["step0"]))
    with pytest.raises(RequestError, match=r"model\.path is not set"):
        find_series(asked(revisions=["step0"]))
