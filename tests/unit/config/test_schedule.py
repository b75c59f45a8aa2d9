"""Checkpoints and their pairs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.config import ScheduleConfig
from src.config.schedule import Schedule, evaluated_steps, plan_schedule


def test_the_default_is_dense_early_and_full_late() -> None:
    schedule = plan_schedule(ScheduleConfig(kind="dense_early"), 240)
    early = [s for s in schedule.checkpoints if s <= 24]
    assert early[:4] == [0, 1, 2, 4]
    assert len(early) >= 6
    assert sum(s >= 120 for s in schedule.checkpoints) >= 6, "the last half needs pairs for its median"
    assert schedule.checkpoints[-1] == 238


@pytest.mark.parametrize("kind", ["dense_early", "linear", "every"])
@given(max_steps=st.integers(10, 3000), lag=st.integers(1, 4), repeats=st.integers(1, 3))
def test_every_pair_fits_into_the_run(kind: str, max_steps: int, lag: int, repeats: int) -> None:
    if lag * repeats > max_steps:
        return
    schedule = plan_schedule(ScheduleConfig(kind=kind, lag=lag, repeats=repeats), max_steps)
    assert schedule.checkpoints[0] == 0
    assert list(schedule.checkpoints) == sorted(set(schedule.checkpoints))
    assert max(schedule.captured) <= max_steps
    for step in schedule.checkpoints:
        assert schedule.pairs(step)[0][0] == step
        assert all(b - a == lag for a, b in schedule.pairs(step))
    # Each checkpoint is complete at exactly one captured step, so that none is measured twice or never.
    complete = [c for step in sorted(schedule.captured) for c in schedule.completed_at(step)]
    assert sorted(complete) == list(schedule.checkpoints)
    for start in schedule.windows:
        assert [b - a for a, b in schedule.window(start)] == [lag] * 8
        assert start in schedule.checkpoints
    assert 8 * lag * len(schedule.windows) <= max_steps / 3
    assert all(b - a >= 8 * lag for a, b in pairwise(schedule.windows)), "two windows share no step"


def test_three_windows_lie_evenly_over_the_default_run_and_none_in_a_short_one() -> None:
    windows = plan_schedule(ScheduleConfig(kind="dense_early"), 240).windows
    assert len(windows) == 3
    assert all(abs(start + 4 - middle) <= 10 for start, middle in zip(windows, (40, 120, 200), strict=True))
    assert plan_schedule(ScheduleConfig(kind="dense_early"), 16).windows == ()
    assert plan_schedule(ScheduleConfig(kind="dense_early", dense_windows=0), 240).windows == ()


def test_steps_that_coincide_are_captured_once_and_step_0_always() -> None:
    assert Schedule((0, 1, 2), lag=1, repeats=2).captured == {0, 1, 2, 3, 4}
    listed = plan_schedule(ScheduleConfig(kind="list", steps=[5, 3, 5]), 20)
    assert listed.checkpoints == (3, 5)
    assert 0 in listed.captured, "drift is measured from step 0"


def test_linear_and_every_are_evenly_spaced() -> None:
    assert plan_schedule(ScheduleConfig(kind="every", interval=10), 42).checkpoints == (0, 10, 20, 30, 40)
    assert plan_schedule(ScheduleConfig(kind="linear", count=5), 42).checkpoints == (0, 10, 20, 30, 40)


def test_behaviour_is_judged_early_then_at_every_other_checkpoint_and_at_the_end() -> None:
    checkpoints = [0, 1, 2, 4, 10, 20, 30, 40, 50, 60, 98]
    assert evaluated_steps(checkpoints, 2, 100) == {0, 1, 2, 4, 10, 30, 50, 98, 100}
    assert evaluated_steps(checkpoints, 1, 100) == {*checkpoints, 100}
    assert evaluated_steps(checkpoints, 100, 100) == {0, 1, 2, 4, 10, 98, 100}
    assert evaluated_steps([], 2, 100) == {100}
