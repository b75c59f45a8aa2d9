"""Clouds that are removed when a run is done, and what is said of them afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import RequestError
from src.rundir import RunDirectory
from src.rundir.find import find_run
from src.rundir.kept import clouds_kept, discard_clouds

STEPS = (0, 1, 8, 9)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    made = RunDirectory(tmp_path / "run")
    for step in STEPS:
        made.weight_cloud(step, 0).parent.mkdir(parents=True)
        for path in (made.clouds(step), made.floor_clouds(step), made.weight_cloud(step, 0), made.diagrams(step)):
            path.write_bytes(b"x")
        made.note_weight_clouds(step, 1)
    made.config.touch()
    return made


@pytest.mark.parametrize(("keep", "left"), [("all", STEPS), ("last", (0, 8, 9)), ("none", ())])
def test_what_is_kept_is_whole_and_the_rest_is_gone(run: RunDirectory, keep: str, left: tuple[int, ...]) -> None:
    discard_clouds(run, keep, {0, 8, 9})
    assert [step for step in STEPS if run.cloud_files(step)] == list(left)
    assert [step for step in STEPS if len(run.cloud_files(step)) == 4] == list(left)
    assert all(run.diagrams(step).exists() for step in STEPS)
    assert clouds_kept(run) == keep
    if keep == "all":
        assert find_run(str(run.path)) == run
    else:
        with pytest.raises(RequestError, match=rf"clouds\.keep={keep}.*force=true clouds\.keep=all makes them again"):
            find_run(str(run.path))


def test_nothing_is_removed_behind_a_link(run: RunDirectory, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    run.step(8).rename(elsewhere)
    run.step(8).symlink_to(elsewhere)
    discard_clouds(run, "none")
    assert (elsewhere / "clouds.safetensors").exists()
    assert not run.clouds(0).exists()


def test_a_run_without_clouds_has_none_to_keep(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.adapter(3).mkdir(parents=True)
    discard_clouds(run, "none")
    assert clouds_kept(run) == "all"
