"""Controls of the stopping rule: a course that levelled off, one that falls as fast as the band allows none, a walk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from src.config.schedule import Schedule
from src.findings.levelling import StopRule, has_levelled_off, plan_rule

from .answer import Answer, Results, at_least, at_most
from .series import QUIET, plan, velocity_table

STEPS, PATIENCE, BAND = 240, 8, 2.0


def stop_of(rng: np.random.Generator, level: np.ndarray, spread: float) -> int | None:
    """The number of the checkpoint at which the rule stops a run of this course, None if at none.

    The excess has a noise of its own and the same course.
    """
    schedule = plan("dense_early")
    rule = plan_rule(schedule.checkpoints, STEPS, PATIENCE, BAND)
    table = pd.concat([velocity_table(rng, schedule, level, spread), excess_of(rng, schedule, level, spread)])
    return next((n for n in range(len(schedule.checkpoints)) if _asked(table, schedule, rule, n)), None)


def excess_of(rng: np.random.Generator, schedule: Schedule, level: np.ndarray, spread: float) -> pd.DataFrame:
    table = velocity_table(rng, schedule, level, spread)
    return table[table.quantity == "velocity"].assign(quantity="excess_own_scale")


def _asked(table: pd.DataFrame, schedule: Schedule, rule: StopRule, number: int) -> bool:
    """At this checkpoint, by those before it."""
    return has_levelled_off(table[table.step < schedule.checkpoints[number]], rule)


def level_trial(rng: np.random.Generator, spread: float) -> dict[str, float]:
    course = np.ones(STEPS + 1)
    course[:40] = np.geomspace(5, 1, 40)
    return {"stopped": stop_of(rng, course, spread) is not None}


def decline_trial(rng: np.random.Generator, spread: float) -> dict[str, float]:
    """Falls by the band over each of the stretches that are looked at, as exactly as their lengths agree."""
    late = [step for step in plan("dense_early").checkpoints if step > STEPS / 10]
    longest = max(b - a for a, b in zip(late, late[PATIENCE - 1 :], strict=False))
    return {"stopped": stop_of(rng, BAND ** (-np.arange(STEPS + 1) / longest), spread) is not None}


def walk_trial(rng: np.random.Generator) -> dict[str, float]:
    """The level itself is a random walk; a stop is false if it moved by more than the band over the last stretch."""
    logs = np.cumsum(0.06 * rng.normal(size=STEPS + 1))
    number = stop_of(rng, np.exp(logs), QUIET)
    if number is None:
        return {"stopped": False}
    steps = list(plan("dense_early").checkpoints[number - PATIENCE : number])
    return {"stopped": bool(abs(logs[steps[-1]] - logs[steps[0]]) > np.log(BAND))}


def judge_never(results: Results) -> Iterator[Answer]:
    yield at_most(results, "stopped", 0.05, "stopped falsely")


def judge_stops(results: Results, least: float) -> Iterator[Answer]:
    yield at_least(results, "stopped", least, "stopped before its end")
