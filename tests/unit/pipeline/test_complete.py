"""Which checkpoints are whole where only some clouds are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config.schedule import Schedule
from src.pipeline.complete import complete_part, missing_clouds
from src.rundir import RunDirectory


@pytest.mark.parametrize(
    ("captured", "checkpoints", "windows"),
    [
        (range(4), (0, 1), ()),
        (range(30), (0, 1, 20), (20,)),
        (range(25), (0, 1), ()),  # its pairs are there, its window is not
        ([0, 1, 3], (), ()),
    ],
)
def test_a_checkpoint_needs_all_of_its_steps(
    tmp_path: Path, captured: list[int], checkpoints: tuple[int, ...], windows: tuple[int, ...]
) -> None:
    run = RunDirectory(tmp_path)
    for step in captured:
        run.step(step).mkdir()
        run.clouds(step).touch()
    found = complete_part(Schedule((0, 1, 20), 1, 2, (20,)), run)
    assert (found.checkpoints, found.windows) == (checkpoints, windows)


def test_a_checkpoint_without_pairs_needs_its_own(tmp_path: Path) -> None:
    alone, run = Schedule((0, 9), 1, 1, (), frozenset({0, 9})), RunDirectory(tmp_path)
    assert missing_clouds(alone, run, 9) == [run.clouds(9)]
