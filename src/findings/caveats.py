"""What a run cannot say, or not without a warning; read from its table alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..metrics.selection import select
from ..metrics.table import FLOOR_FACTOR, MAX_DISTANCE_CHANGE
from .curves import read_learning_rate, read_velocity

MIN_LATE_CHECKPOINTS = 6


def find_caveats(table: pd.DataFrame, layer: str, dimensions: list[int]) -> list[str]:
    """Sentences, the gravest first."""
    measured = select(table, "velocity", layer=layer)
    if measured.empty:
        return ["No checkpoint has a pair one lag later: velocity, excess and their course cannot be stated."]
    steps = np.array(sorted(set(measured.step)))
    return [
        *_limits_of_course(steps),
        *_limits_of_rounding(table, measured, layer, dimensions),
        *_limits_of_pairs(select(table, "velocity", layer=layer, part="pair"), steps),
        *_limits_of_null(select(table, "distance_change", layer=layer)),
        *_limits_of_sample(table),
        *_limits_of_rate(read_learning_rate(table, steps)),
    ]


def _limits_of_course(steps: np.ndarray) -> Iterator[str]:
    if len(steps) < 3:
        yield (
            f"{len(steps)} checkpoint(s) with pairs: no statement about the course over training; at least 3 are "
            "needed, 20 are usual."
        )


def _limits_of_rounding(
    table: pd.DataFrame, measured: pd.DataFrame, layer: str, dimensions: list[int]
) -> Iterator[str]:
    for k in dimensions:
        count = len(read_velocity(table, k, layer))
        lost = len(set(measured[measured.dimension == k].step)) - count
        if lost:
            yield (
                f"H{k}: {lost} of {lost + count} checkpoints moved less than {FLOOR_FACTOR} x the rounding floor, or "
                "not at all, and are left out: raise schedule.lag, or set probe.precision=float32."
            )


def _limits_of_pairs(pairs: pd.DataFrame, steps: np.ndarray) -> Iterator[str]:
    if pairs.empty:
        return
    lag = int((pairs.pair_step - pairs.step).min())
    gaps = np.diff(steps)
    if len(gaps) and lag > gaps.min():
        yield (
            f"The lag of {lag} steps is longer than the gap between some checkpoints ({gaps.min()}): velocities "
            "there overlap and are no independent evidence."
        )
    if (pairs.groupby("step").pair_step.nunique() < 2).all():
        yield "One pair a checkpoint (schedule.repeats=1): the noise of single steps is unknown."
    late = (steps >= (steps[0] + steps[-1]) / 2).sum()
    if len(steps) >= 3 and late < MIN_LATE_CHECKPOINTS:
        yield f"Only {late} checkpoints with pairs lie in the last half: its median is rough."


def _limits_of_null(change: pd.DataFrame) -> Iterator[str]:
    far = sorted(set(change[change.value >= MAX_DISTANCE_CHANGE].step))
    if far:
        yield (
            f"The distances changed by {100 * MAX_DISTANCE_CHANGE:g} % or more at steps {_few(far)}: too far for a "
            "null, so that excess is not defined there; lower schedule.lag or trainer.learning_rate."
        )


def _limits_of_sample(table: pd.DataFrame) -> Iterator[str]:
    if select(table, part="sample").empty:
        yield "No subsamples (tda.subsamples=0): no intervals, and nothing can be called a peak."


def _limits_of_rate(rate: np.ndarray | None) -> Iterator[str]:
    if rate is not None and rate.max() > 0 and np.ptp(rate) > 1e-6 * rate.max():
        yield (
            f"The learning rate was not constant ({rate.min():.2g} to {rate.max():.2g} at the checkpoints): velocity "
            "follows it. Only excess, and what stays after division, is about shape."
        )


def _few(steps: list[int]) -> str:
    return ", ".join(map(str, steps[:5])) + (f" and {len(steps) - 5} more" if len(steps) > 5 else "")
