"""What a series that was saved without pairs is told."""

from __future__ import annotations

import pytest

from src.config import Config
from src.config.schedule import Schedule
from src.config.track import SeriesConfig, TrackConfig
from src.pipeline.missing import describe_missing_pairs


def described(steps: list[int], checkpoints: tuple[int, ...], lag: int = 1) -> str:
    config = TrackConfig(track=SeriesConfig(steps=steps))
    config.trainer.max_steps = steps[-1]
    return describe_missing_pairs(config, Schedule(checkpoints, lag, 1, (), frozenset(steps)))


@pytest.mark.parametrize(("steps", "lag"), [([0, 1, 9, 10, 20, 21], 1), ([0, 10, 20], 10)])
def test_nothing_is_missing_where_all_but_the_last_have_a_pair(steps: list[int], lag: int) -> None:
    assert described(steps, (0, 9, 20) if lag == 1 else (0, 10, 20), lag) == ""


def test_how_many_lack_one_and_what_would_give_them() -> None:
    some = described([0, 1, 10, 20, 30], (0, 10, 20, 30))
    assert "rest on 1 checkpoint only: 2 of the first 3 checkpoints have no second one 1 step later" in some
    assert "track advise steps=30 checkpoints=4" in some
    assert "velocity and excess cannot be measured: 3 of the first 3" in described([0, 10, 20, 30], (0, 10, 20, 30))


def test_a_run_of_ours_lacks_nothing() -> None:
    assert describe_missing_pairs(Config(), Schedule((0, 10), 1, 2)) == ""
