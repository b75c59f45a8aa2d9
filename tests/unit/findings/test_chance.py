"""What is called by chance: no more than 5 % of series that are alike from step to step and have no course."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src.config import ScheduleConfig
from src.config.schedule import Schedule, plan_schedule
from src.findings.chance import SERIES, draw_chance, probability
from src.findings.curves import Curve
from src.statistics.autocorrelation import correlate

STEPS = 240
SCHEDULES = {
    kind: plan_schedule(config, STEPS)
    for kind, config in {
        "dense_early": ScheduleConfig(kind="dense_early"), "every 5": ScheduleConfig(kind="every", interval=5),
    }.items()
}  # fmt: skip


def curve_of(logs: np.ndarray, schedule: Schedule) -> Curve:
    """The curve of a value that is known at every step, as the schedule sees it."""
    starts = tuple(np.array([a for a, _ in schedule.pairs(c)]) for c in schedule.checkpoints)
    runs = tuple((np.arange(w, w + 8), np.exp(logs[w : w + 8])) for w in schedule.windows)
    values = np.array([np.exp(logs[each]).mean() for each in starts])
    return Curve(np.array(schedule.checkpoints), values, np.empty((0, len(values))), starts, runs)


def first_over_last(logs: np.ndarray) -> np.ndarray:
    return np.asarray(logs[..., :5].mean(axis=-1) - logs[..., -5:].mean(axis=-1))


def p_of(curve: Curve) -> float:
    return probability(draw_chance(curve), curve, first_over_last)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_autocorrelated_series_are_called_as_often_as_is_said(kind: str) -> None:
    rng = np.random.default_rng(0)
    factor = np.linalg.cholesky(correlate(np.arange(STEPS + 8), 0.8) + 1e-9 * np.eye(STEPS + 8))
    curves = [curve_of(0.3 * factor @ rng.normal(size=len(factor)), SCHEDULES[kind]) for _ in range(100)]
    called = np.mean([p_of(curve) < 0.05 for curve in curves])
    assert called <= 0.12, "with 5 % for each, more than 12 of 100 would be one in 700"


def test_a_difference_beyond_chance_is_seen_and_a_scale_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    logs = 0.1 * rng.normal(size=STEPS + 8)
    level = curve_of(logs, SCHEDULES["dense_early"])
    fallen = curve_of(logs + np.linspace(1, 0, len(logs)), SCHEDULES["dense_early"])
    assert p_of(fallen) == 1 / (SERIES + 1)
    larger = curve_of(logs + math.log(1000), SCHEDULES["dense_early"])
    assert p_of(larger) == pytest.approx(p_of(level))


def test_too_short_and_constant_curves_are_told_nothing_of() -> None:
    logs = np.random.default_rng(0).normal(size=STEPS + 8)
    schedule = SCHEDULES["dense_early"]
    short = curve_of(logs, schedule).keep(np.arange(len(schedule.checkpoints)) < 5)
    assert draw_chance(short) is None
    assert p_of(short) == 1
    assert draw_chance(curve_of(0 * logs, schedule)) is None
