"""Which steps of a series are checkpoints."""

from __future__ import annotations

import pytest

from src.config import RequestError, ScheduleConfig
from src.config.schema import AUTO
from src.config.track import SeriesConfig, TrackConfig, complete_schedule, schedule_of

POWERS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


@pytest.mark.parametrize(
    ("steps", "checkpoints", "lag", "repeats"),
    [
        ([0, 50, 100, 150, 200], [0, 50, 100, 150, 200], 50, 1),
        ([0, 1, 50, 51, 100, 101], [0, 50, 100], 1, 1),
        ([0, 1, 2, 50, 51, 52, 100, 101, 102], [0, 50, 100], 1, 2),
        ([0, 1, 2, 3, 50, 51, 52, 100, 101, 102], [0, 1, 50, 100], 1, 2),
        ([*POWERS, *range(1000, 9000, 1000)], [*POWERS, *range(1000, 9000, 1000)], 1000, 1),
        ([0, 7], [0, 7], 7, 1),
    ],
)
def test_a_series_is_read_as_it_was_saved(steps: list[int], checkpoints: list[int], lag: int, repeats: int) -> None:
    found = complete_schedule(ScheduleConfig(kind="list", lag=AUTO), steps)
    assert (found.steps, found.lag, found.repeats) == (checkpoints, lag, repeats)


def test_a_checkpoint_without_its_pair_is_measured_alone() -> None:
    config = TrackConfig(track=SeriesConfig(steps=POWERS))
    config.schedule = complete_schedule(ScheduleConfig(kind="list", lag=1), POWERS)
    schedule = schedule_of(config)
    assert schedule.pairs(0) == [(0, 1), (1, 2)]
    assert schedule.pairs(64) == []
    assert schedule.completed_at(64) == [64]
    assert schedule.captured == set(POWERS)
    assert schedule.floor_steps >= {0, 512}


def test_a_schedule_that_was_asked_for_needs_its_steps() -> None:
    every = ScheduleConfig(kind="every", interval=10, lag=1, repeats=1)
    assert complete_schedule(every, [0, 1, 10, 11]).steps == [0, 10]
    with pytest.raises(RequestError, match=r"schedule=every: the series has no checkpoint of steps 1, 11"):
        complete_schedule(every, [0, 10, 20])
