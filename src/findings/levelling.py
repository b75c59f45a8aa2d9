"""Whether the course has levelled off: the question of `trainer.stop=topology`, asked while training goes on.

Not that no change is seen is asked, but that a change by more than the band is excluded: an equivalence test
(Schuirmann, 1987, doi:10.1007/BF01068419). The error of the trend is that of series that are as alike from
step to step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..metrics.selection import dimensions_of, overall_layer
from ..statistics import ALPHA
from ..statistics.autocorrelation import draw_series, weigh_coefficients
from .curves import Curve, read_curve, read_velocity

QUANTITIES = ("velocity", "excess_own_scale")
DRAWS = 20_000
"""Random series: some dozens lie beyond the bound of the strictest of the looks."""


@dataclass(frozen=True)
class StopRule:
    """What has to hold, and how often it is asked."""

    patience: int
    """Late checkpoints in a row that are looked at; at least 4."""
    band: float
    """Largest change over them, as a factor, that counts as none; above 1."""
    late_from: float
    """The first step that may be among them: the first tenth of the run is none of a late band."""
    looks: int
    """Times that the rule is asked in a run: their errors add up to 5 %."""


def plan_rule(checkpoints: Sequence[int], max_steps: int, patience: int, band: float) -> StopRule:
    """The rule of a run with these checkpoints; with `looks` 0 there are too few of them to ever stop."""
    late_from = max_steps / 10
    late = sum(step > late_from for step in checkpoints)
    return StopRule(patience, band, late_from, max(0, late - patience))


def has_levelled_off(table: pd.DataFrame, rule: StopRule) -> bool:
    """Whether velocity and own-scale excess of every dimension stayed inside the band, by the table measured so far.

    Args:
        table: long form, of the checkpoints that the decision may know. Deterministic: the same table, the same answer.
    """
    if table.empty or not rule.looks:
        return False
    layer, dimensions = overall_layer(table), dimensions_of(table, "velocity")
    own = table[table.layer.isin([layer, ""])]
    curves = []
    for k in dimensions:
        velocity = read_velocity(own, k, layer)
        curves += [(velocity, velocity)] + [(read_curve(own, name, k, layer), velocity) for name in QUANTITIES[1:]]
    return bool(curves) and all(_is_inside(curve, velocity, rule) for curve, velocity in curves)


def _is_inside(curve: Curve, velocity: Curve, rule: StopRule) -> bool:
    """Whether the bounds of the change over the last checkpoints lie within the band."""
    late = (curve.steps > rule.late_from) & (curve.values > 0)
    if late.sum() < rule.patience:
        return False
    chosen = np.flatnonzero(late)[-rule.patience :]
    kept = curve.keep(np.isin(np.arange(len(curve)), chosen))
    # Neighbours are as alike as those of the velocity, whose single pairs follow each other without a gap.
    weights = weigh_coefficients([(steps, np.log(values)) for steps, values in velocity.runs])
    change, spread = (float(x) for x in _trend(kept.steps, np.log(kept.values)))
    drawn, spreads = _trend(kept.steps, draw_series(kept.members, weights, DRAWS))
    factor = float(np.quantile(np.abs(drawn) / spreads, 1 - 2 * ALPHA / rule.looks))
    return abs(change) + factor * spread < math.log(rule.band)


def _trend(steps: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The change from the first to the last step by a straight line, and the spread about it, along the last axis."""
    x = (steps - steps.mean()) / (steps[-1] - steps[0])
    change = logs @ x / (x @ x)
    rest = logs - logs.mean(axis=-1, keepdims=True) - np.multiply.outer(change, x)
    return change, np.asarray(np.sqrt((rest**2).sum(axis=-1) / (len(steps) - 2)))
