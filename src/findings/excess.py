"""Did the topology change more than random movement of the same size would have made it?"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from ..metrics.selection import select
from ..metrics.table import MEAN
from ..statistics.intervals import interval
from .curves import Curve, read_curve
from .finding import Finding, RunFindings

ALPHA = 0.05


def find_excess(table: pd.DataFrame, k: int, layer: str) -> RunFindings:
    """Findings of the excess; none where it was not measured."""
    excess = read_curve(table, "excess", k, layer)
    if not len(excess):
        return {}
    found = {}
    for name, when, where in (
        ("excess_early", "in the first tenth of the steps", excess.early),
        ("excess_late", "in the last half", excess.late),
    ):
        if where.any():
            found[name, k] = _mean_excess(table, excess.keep(where), when, k, layer)
    share, count, sentence = _significant(table, k, layer)
    found["excess_share", k] = Finding(share, called=count > 0, sentence=sentence)
    return found


def _mean_excess(table: pd.DataFrame, excess: Curve, when: str, k: int, layer: str) -> Finding:
    """Mean excess over some checkpoints: the halves give the velocity's error, the draws that of their mean."""
    velocity = read_curve(table, "velocity", k, layer)
    velocity = velocity.keep(np.isin(velocity.steps, excess.steps))
    draws = read_curve(table, "null_velocity", k, layer)
    draws = draws.keep(np.isin(draws.steps, excess.steps))
    value = float(excess.values.mean())
    errors = np.log(draws.halves).std(axis=0, ddof=1) / math.sqrt(max(1, len(draws.halves)))
    more = 1.96 * float(np.sqrt((errors**2).mean() / len(errors)))
    halves = (velocity.halves / draws.values).mean(axis=1)
    low, high = interval(value, halves, extra_half_width=more)
    called = low > 1 or high < 1
    sentence = "more than" if low > 1 else "less than" if high < 1 else "as much as"
    bounds = f" (95 %: {low:.2f} to {high:.2f})" if math.isfinite(low) else ""
    if not bounds:
        sentence = "an unknown amount against"
    return Finding(
        value, low, high, bool(called),
        f"H{k} changed {sentence} chance {when}: {value:.2f} x a random movement of the same size and kind{bounds}.",
    )  # fmt: skip


def _significant(table: pd.DataFrame, k: int, layer: str) -> tuple[float, int, str]:
    """Share of checkpoints x layers whose excess is significant after Benjamini-Hochberg, and where it is largest."""
    rows = select(table, ("excess", "excess_p"), k)
    wide = rows[(rows.layer != MEAN) | (layer != MEAN)].pivot_table(
        index=["step", "layer"], columns="quantity", values="value"
    ).dropna()  # fmt: skip
    if wide.empty:
        return math.nan, 0, ""
    above = wide[(false_discovery_control(wide.excess_p) < ALPHA)]
    more, less = above[above.excess > 1], above[above.excess < 1]
    sentence = (
        f"For these very probes significant in {len(more)} (more than chance) and {len(less)} (less) of {len(wide)} "
        f"layers x checkpoints in H{k}, at most 5 % of these by chance."
    )
    if len(more):
        step, where = more.excess.idxmax()
        last = int(more.index.get_level_values("step").max())
        sentence += (
            f" Most: {more.excess.max():.2f} x chance in {where} at step {step}; the last one is at step {last}."
        )
    return len(above) / len(wide), len(above), sentence
