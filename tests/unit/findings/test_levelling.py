"""When a course counts as level: what stops a training, and what does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from src.findings.levelling import StopRule, has_levelled_off, plan_rule
from tests.validity import series, stopping

SCHEDULE = series.plan("dense_early")
RULE = plan_rule(SCHEDULE.checkpoints, 240, patience=8, band=2.0)


def table_of(level: np.ndarray, excess: np.ndarray | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    parts = [series.velocity_table(rng, SCHEDULE, level, series.QUIET)]
    parts += [stopping.excess_of(rng, SCHEDULE, level if excess is None else excess, series.QUIET)]
    return pd.concat(parts, ignore_index=True)


FLAT = np.ones(241)
FALLING = 2.0 ** -(np.arange(241) / 100)


def test_a_level_course_stops_and_a_falling_one_does_not() -> None:
    assert has_levelled_off(table_of(FLAT), RULE)
    assert not has_levelled_off(table_of(FALLING), RULE)
    assert has_levelled_off(table_of(FALLING), StopRule(8, 5.0, RULE.late_from, RULE.looks)), "a wide band"


def test_both_quantities_have_to_be_level_and_measured() -> None:
    assert not has_levelled_off(table_of(FLAT, excess=FALLING), RULE)
    assert not has_levelled_off(table_of(FALLING, excess=FLAT), RULE)
    table = table_of(FLAT)
    assert not has_levelled_off(table[table.quantity != "excess_own_scale"], RULE)
    assert not has_levelled_off(table[:0], RULE)


def test_the_first_tenth_is_none_of_the_late_checkpoints_and_fewer_than_asked_for_never_stop() -> None:
    table = table_of(FLAT)
    late = [step for step in SCHEDULE.checkpoints if step > 24]
    assert not has_levelled_off(table[table.step < late[7]], RULE)
    assert has_levelled_off(table[table.step <= late[7]], RULE)
    assert RULE.looks == len(late) - 8
    assert not has_levelled_off(table, plan_rule(SCHEDULE.checkpoints, 240, patience=len(late), band=2.0))


@pytest.mark.parametrize(("trial", "stops"), [("level", True), ("decline", False)])
def test_the_planted_courses_of_the_controls(trial: str, stops: bool) -> None:
    run = {"level": stopping.level_trial, "decline": stopping.decline_trial}[trial]
    assert run(np.random.default_rng(3), series.QUIET)["stopped"] == stops
