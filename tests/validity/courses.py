"""Controls of a whole run: a walk, a burst, a schedule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from src.config import ScheduleConfig
from src.config.schedule import plan_schedule
from src.findings import run_findings
from src.measure import track

from . import plant
from .answer import Answer, Results, at_least, at_most

STEPS = 240
SCHEDULE = plan_schedule(ScheduleConfig(kind="dense_early"), STEPS)
WANTED = set(SCHEDULE.captured)


# A stationary walk: no peak, no early share, and a naive velocity that calls for one.


def walk_trial(rng: np.random.Generator, rank: int | None) -> dict[str, float]:
    seen = plant.walk(rng, plant.cloud(rng, 128, 64), WANTED, rank=rank)
    found = run_findings(track(seen, checkpoints=SCHEDULE.checkpoints, repeats=SCHEDULE.repeats, null_draws=0))
    values = {}
    for k in (0, 1):
        values[f"peak{k}"] = found["peak_ratio", k].called
        values[f"early{k}"] = found["early_share", k].called
        values[f"naive{k}"] = found["naive_peak_ratio", k].value > 3
    return values


def judge_walk(results: Results) -> Iterator[Answer]:
    for k in (0, 1):
        yield at_most(results, f"peak{k}", 0.05, f"H{k} peak called")
        yield at_most(results, f"early{k}", 0.05, f"H{k} early share called above 0.10")
        yield at_least(results, f"naive{k}", 0.95, f"H{k} naive peak ratio above 3")


# A burst of structured change, on top of a walk, around one checkpoint.


def burst_trial(rng: np.random.Generator) -> dict[str, float]:
    checkpoints = np.array(SCHEDULE.checkpoints)
    place = int(rng.integers(4, len(checkpoints) - 6))
    x, labels = plant.clustered(rng, 128, 64)

    def burst(at: int, x: np.ndarray) -> np.ndarray:
        nearest = int(np.flatnonzero(checkpoints <= at)[-1])
        strength = np.exp(-0.5 * ((nearest - place) / 1.2) ** 2)
        if strength < 0.05 or at - checkpoints[nearest] > 1:
            return x
        way = plant.contraction(x, labels) if at % 2 else -plant.contraction(x, labels)
        return plant.step(x, way, 3 * plant.CHANGE * strength)

    seen = plant.walk(rng, x, WANTED, size=lambda _: 0.01, extra=burst)
    found = run_findings(track(seen, checkpoints=SCHEDULE.checkpoints, repeats=SCHEDULE.repeats, null_draws=0))
    values = {}
    for k in (0, 1):
        nearest = int(np.abs(checkpoints - found["peak_step", k].value).argmin())
        values[f"found{k}"] = found["peak_ratio", k].called and abs(nearest - place) <= 1
        values[f"explained{k}"] = found["peak_explained_by", k].label != "schedule"
    return values


def judge_burst(results: Results) -> Iterator[Answer]:
    for k in (0, 1):
        yield at_least(results, f"found{k}", 0.9, f"H{k} peak called within one checkpoint")


# A peak of movement as such, made by warm-up and decay.


def schedule_trial(rng: np.random.Generator, reported: bool) -> dict[str, float]:
    def rate(at: int) -> float:
        return min((at + 1) / 20, (STEPS - at) / (STEPS - 20))

    seen = plant.walk(rng, plant.cloud(rng, 128, 64), WANTED, size=lambda at: 0.05 * rate(at))
    table = track(seen, checkpoints=SCHEDULE.checkpoints, repeats=SCHEDULE.repeats, null_draws=0)
    if reported:
        rates = pd.DataFrame({"step": range(STEPS), "quantity": "learning_rate", "layer": ""})
        rates["value"] = [rate(at) for at in rates.step]
        table = pd.concat([table, rates.assign(pair_step=-1, dimension=-1, sample=-1)], ignore_index=True)
    found = run_findings(table)
    right = "learning_rate" if reported else "displacement"
    return {
        f"{name}{k}": value
        for k in (0, 1)
        for name, value in (
            ("called", found["peak_ratio", k].called),
            ("explained", found["peak_explained_by", k].label == right),
        )
    }


def judge_schedule(results: Results, right: str) -> Iterator[Answer]:
    for k in (0, 1):
        yield at_least(results, f"called{k}", 0.9, f"H{k} peak called")
        yield at_least(results, f"explained{k}", 0.9, f"H{k} explained by {right}")
