"""Controls of the course over training: velocities and excesses that are written into a table, alike from step to step.

No cloud is measured here: what the findings make of a series is asked, not how a series is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from src.config import ScheduleConfig
from src.config.schedule import Schedule, plan_schedule
from src.findings import run_findings
from src.metrics.table import Row, tabulate

from .answer import Answer, Results, at_least, at_most

COEFFICIENT = 0.8
"""From one step to the next, as seen on a real run: 0.84 for H0, 0.74 for H1."""
QUIET, LOUD = 0.05, 0.2
"""Standard deviation of the logarithm of a single pair's velocity: about what is left of it after division by the
distance change, and about what the velocity itself has (the embedded run, the stories run)."""
PROBE_SPREAD = 0.05
"""From one half of the probes to another."""
HALVES, DRAWS, LAYER = 10, 10, "layer_01"
SCHEDULES = {
    "dense_early": (ScheduleConfig(kind="dense_early"), 240),
    "every_2": (ScheduleConfig(kind="every", interval=2), 40),
    "every_5": (ScheduleConfig(kind="every", interval=5), 100),
    "eighteen": (ScheduleConfig(kind="dense_early", early=6, late=12), 240),
}
Course = Callable[[float], float]
"""From the share of the run to the level of the velocity."""


def plan(name: str) -> Schedule:
    return plan_schedule(*SCHEDULES[name])


def velocity_table(rng: np.random.Generator, schedule: Schedule, level: np.ndarray, spread: float) -> pd.DataFrame:
    """The table of a run with `level` (steps,) as velocity of single steps, times noise that is alike step to step."""
    noise = [rng.normal()]
    for _ in level[1:]:
        noise.append(COEFFICIENT * noise[-1] + math.sqrt(1 - COEFFICIENT**2) * rng.normal())
    speeds = level * np.exp(spread * np.array(noise))
    rows = []
    for step in schedule.checkpoints:
        own = [speeds[a] for a, _ in schedule.pairs(step)]
        rows.append(Row(step, "velocity", float(np.mean(own)), LAYER, 1))
        for quantity, pairs in (("velocity", schedule.pairs(step)), ("window/velocity", schedule.window(step))):
            rows += [Row(step, quantity, float(speeds[a]), LAYER, 1, b) for a, b in pairs]
        rows.append(Row(step, "step_noise", float(np.log(own).std(ddof=1)), LAYER, 1))
        rows += _halves(rng, step, "velocity", float(np.mean(own)))
    return tabulate(rows)


def _halves(rng: np.random.Generator, step: int, quantity: str, value: float) -> list[Row]:
    """Half of the points: half of the bars."""
    spread = np.exp(PROBE_SPREAD * rng.normal(size=HALVES)) / 2
    return [Row(step, quantity, value * float(x), LAYER, 1, sample=n) for n, x in enumerate(spread)]


def _shares(schedule: Schedule) -> np.ndarray:
    """(steps,) the share of the run that each step lies at."""
    return np.arange(max(schedule.captured) + 1) / max(schedule.checkpoints)


def level_trial(rng: np.random.Generator, name: str) -> dict[str, float]:
    schedule = plan(name)
    return _called(run_findings(velocity_table(rng, schedule, np.ones(len(_shares(schedule))), LOUD)))


def _called(found: dict) -> dict[str, float]:  # type: ignore[type-arg]
    names = {"peak": "peak_ratio", "decline": "decline_ratio", "early": "early_share"}
    return {short: found[name, 1].called for short, name in names.items()}


def judge_level(results: Results) -> Iterator[Answer]:
    yield at_most(results, "peak", 0.05, "peak called")
    yield at_most(results, "decline", 0.05, "decline called")
    yield at_most(results, "early", 0.05, "early share called above 0.10")


def decline_trial(rng: np.random.Generator, fall: float, spread: float) -> dict[str, float]:
    schedule = plan("dense_early")
    return _called(run_findings(velocity_table(rng, schedule, fall ** (1 - _shares(schedule)), spread)))


def judge_decline(results: Results, least: float) -> Iterator[Answer]:
    yield at_most(results, "peak", 0.05, "peak called")
    yield at_least(results, "decline", least, "decline called")


def burst_trial(rng: np.random.Generator, fold: float) -> dict[str, float]:
    """Two neighbouring checkpoints of eighteen see it, anywhere but at the ends."""
    schedule = plan("eighteen")
    checkpoints = schedule.checkpoints
    place = int(rng.integers(3, len(checkpoints) - 4))
    level = np.ones(len(_shares(schedule)))
    level[checkpoints[place] : checkpoints[place + 1] + schedule.repeats * schedule.lag] = fold
    found = run_findings(velocity_table(rng, schedule, level, LOUD))
    nearest = int(np.abs(np.array(checkpoints) - found["peak_step", 1].value).argmin())
    return {"found": found["peak_ratio", 1].called and place - 1 <= nearest <= place + 2}


def judge_burst(results: Results) -> Iterator[Answer]:
    yield at_least(results, "found", 0.9, "peak called within one checkpoint")


def excess_trial(rng: np.random.Generator, early: float, spread: float) -> dict[str, float]:
    """An excess of `early` in the first tenth of the steps and of 1 after it, against draws that scatter by a tenth."""
    schedule = plan("dense_early")
    level = np.where(_shares(schedule) <= 0.1, early, 1.0)
    table = velocity_table(rng, schedule, level, spread)
    rows = []
    for step, velocity in table[(table.quantity == "velocity") & (table.pair_step < 0) & (table["sample"] < 0)][
        ["step", "value"]
    ].itertuples(index=False):
        draws = np.exp(0.1 * rng.normal(size=DRAWS))
        rows.append(Row(step, "null_velocity", float(draws.mean()), LAYER, 1))
        rows += [Row(step, "null_velocity", float(x), LAYER, 1, sample=n) for n, x in enumerate(draws)]
        rows.append(Row(step, "excess", velocity / float(draws.mean()), LAYER, 1))
        rows.append(Row(step, "excess_p", 0.5, LAYER, 1))
    return {"changed": run_findings(pd.concat([table, tabulate(rows)], ignore_index=True))["excess_change", 1].called}


def judge_no_change(results: Results) -> Iterator[Answer]:
    yield at_most(results, "changed", 0.05, "another excess early than late called")


def judge_change(results: Results, least: float) -> Iterator[Answer]:
    yield at_least(results, "changed", least, "another excess early than late called")
