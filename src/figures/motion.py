"""Figures of movement: velocity against the schedule, excess against chance, displacement by what it consists of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..metrics.derived import drop_rounding
from ..metrics.selection import select_curve, steps_by_layer
from ..metrics.table import MEAN
from .panels import Band, Dots, Figure, Heat, Line, Mark, Panel

STEP = "optimizer step + 1"
"""Checkpoints lie densest at the start, so that steps are drawn on a logarithmic axis, which has no 0."""


def _marks(rows: pd.DataFrame, name: str, color: int, *, dashed: bool = False) -> list[Mark]:
    """A line and, where it has an interval, the band of it."""
    x = list(rows.step + 1)
    marks: list[Mark] = [Line(name, x, list(rows.value), color, dashed)]
    bounded = rows.dropna(subset=["low", "high"])
    if len(bounded):
        marks.append(Band(f"{name}, 95 %", list(bounded.step + 1), list(bounded.low), list(bounded.high), color))
    return marks


def _hollow(table: pd.DataFrame, quantity: str, k: int) -> list[Mark]:
    """Circles around the values that are rounding, where there are any."""
    marks = select_curve(table, "below_floor", k)
    rows = select_curve(table, quantity, k)
    rows = rows[rows.step.isin(marks[marks.value > 0].step)]
    return [Dots("below the rounding floor", *_xy(rows), color=0, size=9, hollow=True)] if len(rows) else []


def draw_speed(table: pd.DataFrame, dimensions: Sequence[int]) -> Figure:
    """Velocity at constant lag and naive velocity on one axis; underneath the learning rate, where it is known."""
    rate = select_curve(table, "learning_rate", layer="")
    above, below = [], []
    for k in dimensions:
        marks = _marks(select_curve(table, "velocity", k), "velocity at constant lag", 0)
        marks += _marks(select_curve(table, "naive_velocity", k), "naive velocity", 1, dashed=True)
        marks += _hollow(table, "velocity", k)
        above.append(Panel(f"H{k}, mean over the blocks", STEP, "W1 per step", marks, log_x=True))
        lines = [Line("learning rate", list(rate.step + 1), list(rate.value), color=7)]
        below.append(Panel("learning rate", STEP, "of AdamW", lines, log_x=True))
    note = (
        "The naive velocity divides by the steps between checkpoints and falls as they spread out, whatever the model "
        "does."
    )
    if rate.empty:  # of somebody else's training
        return Figure("speed", "Velocity and naive velocity", [above], f"{note} The learning rate is not known.")
    return Figure(
        "speed", "Velocity, naive velocity, learning rate", [above, below],
        f"{note} What follows the learning rate is no change of shape of its own: see the excess.",
    )  # fmt: skip


def draw_excess(table: pd.DataFrame, dimensions: Sequence[int]) -> Figure:
    """Excess with the band of chance, over steps, and by layer."""
    above, below = [], []
    for k in dimensions:
        chance = select_curve(table, "null_velocity", k)
        band = Band(
            "chance, 95 %", list(chance.step + 1), list(chance.low / chance.value), list(chance.high / chance.value), 7
        )
        marks: list[Mark] = [band, *_marks(select_curve(table, "excess", k), "excess", 0)]
        independent = _xy(select_curve(table, "independent_excess", k))
        marks.append(Line("independent points", *independent, color=2, dashed=True))
        weights = _xy(select_curve(table, "weights_excess", k))
        if weights[0]:
            marks.append(Line("random updates of the weights", *weights, color=3))
        marks += _hollow(table, "excess", k)
        above.append(Panel(f"excess, H{k}, mean over the blocks", STEP, "velocity / chance", marks, log_x=True))
        wide = steps_by_layer(drop_rounding(table), "excess", k).drop(columns=MEAN, errors="ignore").T
        heat = Heat(f"excess H{k}", [str(step) for step in wide.columns], list(wide.index), wide.to_numpy())
        highest = np.nanmax(heat.z) if heat.z.size else np.nan
        title = f"excess, H{k}, up to {highest:.2f}"
        below.append(Panel(title, "optimizer step (checkpoints, not to scale)", "block", [heat]))
    return Figure(
        "excess", "Did the shape change more than chance?", [above, below],
        "Velocity over the mean velocity of random movements that are as smooth over the cloud and change the "
        "distances as much. 1 is chance. Dashed: against independent points, where any smooth movement is below 1.",
    )  # fmt: skip


def _xy(rows: pd.DataFrame) -> tuple[list[float], list[float]]:
    return list(rows.step + 1), list(rows.value)


def draw_movement(table: pd.DataFrame) -> Figure:
    """Displacement by what a similarity transform explains and what it does not; distance change."""
    moved, share = select_curve(table, "displacement"), select_curve(table, "rigid_share")
    both = moved.merge(share[["step", "value"]], on="step", suffixes=("", "_share"))
    x = list(both.step + 1)
    parts: list[Mark] = [
        *_marks(moved, "displacement", 0),
        Line("rigid part", x, list(both.value * np.sqrt(both.value_share)), color=3),
        Line("the rest", x, list(both.value * np.sqrt(1 - both.value_share)), color=1),
    ]
    shares = _marks(share, "rigid share", 3)
    shares.append(Line("of random movement", *_xy(select_curve(table, "rigid_share_null")), color=7, dashed=True))
    change = _marks(select_curve(table, "distance_change"), "distance change", 2)
    row = [
        Panel("displacement per step", STEP, "relative", parts, log_x=True),
        Panel("rigid share of its square", STEP, "share", shares, log_x=True),
        Panel("distance change over a lag", STEP, "relative", change, log_x=True),
    ]
    return Figure(
        "movement", "How far the points moved, and how much of it is rigid", [row],
        "A translation, a rotation or a uniform scaling of the whole cloud changes no shape. Random movement in many "
        "dimensions is mostly a rotation as well: compare with the dashed line. Mean over the blocks.",
    )  # fmt: skip
