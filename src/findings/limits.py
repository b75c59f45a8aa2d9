"""What a run cannot say, or not without a warning; read from its table alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .curves import read_learning_rate, read_velocity

FEW_LATE = 6


def find_limits(table: pd.DataFrame, layer: str, dimensions: list[int]) -> list[str]:
    """Sentences, the gravest first."""
    whole = table[(table.layer == layer) & (table["sample"] == -1)]
    speeds = whole[(whole.quantity == "velocity")]
    measured = speeds[speeds.pair_step == -1]
    if measured.empty:
        return ["No checkpoint has a pair one lag later: velocity, excess and their course cannot be stated."]
    said = []
    steps = np.array(sorted(set(measured.step)))
    pairs = speeds[speeds.pair_step >= 0]
    if len(steps) < 3:
        said.append(
            f"{len(steps)} checkpoint(s) with pairs: no statement about the course over training; at least 3 are "
            "needed, 20 are usual."
        )
    usable = {k: len(read_velocity(table, k, layer)) for k in dimensions}
    for k, count in usable.items():
        lost = len(set(measured[measured.dimension == k].step)) - count
        if lost:
            said.append(
                f"H{k}: {lost} of {lost + count} checkpoints moved less than 3 x the rounding floor, or not at all, "
                "and are left out: raise schedule.lag, or set probe.precision=float32."
            )
    if len(pairs):
        lag = int((pairs.pair_step - pairs.step).min())
        gaps = np.diff(steps)
        if len(gaps) and lag > gaps.min():
            said.append(
                f"The lag of {lag} steps is longer than the gap between some checkpoints ({gaps.min()}): velocities "
                "there overlap and are no independent evidence."
            )
        if (pairs.groupby("step").pair_step.nunique() < 2).all():
            said.append("One pair a checkpoint (schedule.repeats=1): the noise of single steps is unknown.")
        late = (steps >= (steps[0] + steps[-1]) / 2).sum()
        if len(steps) >= 3 and late < FEW_LATE:
            said.append(f"Only {late} checkpoints with pairs lie in the last half: its median is rough.")
    change = whole[(whole.quantity == "distance_change") & (whole.pair_step == -1)]
    far = sorted(set(change[change.value >= 0.1].step))
    if far:
        said.append(
            f"The distances changed by a tenth or more at steps {_few(far)}: too far for a null, so that excess is not "
            "defined there; lower schedule.lag or trainer.learning_rate."
        )
    if not (table["sample"] >= 0).any():
        said.append("No subsamples (tda.subsamples=0): no intervals, and nothing can be called a peak.")
    rate = read_learning_rate(table, steps)
    if rate is not None and rate.max() > 0 and np.ptp(rate) > 1e-6 * rate.max():
        said.append(
            f"The learning rate was not constant ({rate.min():.2g} to {rate.max():.2g} at the checkpoints): velocity "
            "follows it. Only excess, and what stays after division, is about shape."
        )
    return said


def _few(steps: list[int]) -> str:
    return ", ".join(map(str, steps[:5])) + (f" and {len(steps) - 5} more" if len(steps) > 5 else "")
