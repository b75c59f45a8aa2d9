"""Checkpoints that were written over are not those that were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from src.config import RequestError
from src.config.track import TrackConfig
from src.rundir import RunDirectory
from src.rundir.state import check_earlier_start, initialize
from src.series.content import BLOCKS, SIZE, digest_weights, refuse_other_content
from src.series.find import complete_track, find_series
from tests.support.series import asked, write_checkpoint


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A folder with checkpoints of some megabytes."""
    for step in (1, 2):
        write_weights(write_checkpoint(tmp_path / "out" / f"checkpoint-{step}"), step)
    return tmp_path / "out"


def write_weights(folder: Path, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=BLOCKS * SIZE).astype(np.float32)
    save_file({"weights": weights}, folder / "model.safetensors")


def request(series: Path) -> TrackConfig:
    config = asked(checkpoints=[f"{series}/checkpoint-*"])
    config.adapter.kind = "full"
    return complete_track(config, find_series(config))


def test_weights_count_and_not_where_they_lie(series: Path, tmp_path: Path) -> None:
    first = request(series).track.content
    series.rename(tmp_path / "moved")
    assert request(tmp_path / "moved").track.content == first
    write_weights(tmp_path / "moved" / "checkpoint-2", 3)
    assert request(tmp_path / "moved").track.content != first


def test_small_files_count_as_a_whole(tmp_path: Path) -> None:
    paths = [str(write_checkpoint(tmp_path / f"checkpoint-{step}")) for step in (1, 2)]
    found = find_series(asked(checkpoints=paths)).checkpoints
    first = digest_weights(found)
    save_file({"a": np.ones(9, np.float32)}, Path(paths[1]) / "model.safetensors")
    assert digest_weights(found) != first


def test_what_measured_other_checkpoints_is_refused(series: Path, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    initialize(run, request(series), reset=False)
    refuse_other_content(run, request(series))
    write_weights(series / "checkpoint-1", 3)
    now = request(series)
    assert not check_earlier_start(run, now), "its identity is the same"
    with pytest.raises(RequestError, match="run measured other checkpoints of the same names; force=true"):
        refuse_other_content(run, now)
    refuse_other_content(run, replace(now, force=True))


def test_a_run_of_before_is_gone_on_with(series: Path, tmp_path: Path) -> None:
    run, config = RunDirectory(tmp_path / "run"), request(series)
    run.path.mkdir()
    initialize(run, replace(config, track=replace(config.track, content="")), reset=False)
    refuse_other_content(run, config)
