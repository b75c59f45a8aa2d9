"""Figures of many runs: models x objectives as small multiples, the seeds of a cell drawn as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from ..findings import Tracked
from ..metrics.derived import drop_rounding
from ..metrics.selection import is_measured, select_curve, steps_by_layer
from ..metrics.table import MEAN
from .motion import STEP
from .panels import Band, ColorScale, Figure, Heat, Line, Mark, Panel

Runs = Sequence[Tracked]
SEEN = 8.0
"""Excess beyond which, up or down, colours differ no more."""
DEPTH = "block / blocks"


def models_of(runs: Runs) -> list[str]:
    """In the order in which they come, so that twins stay together."""
    return list(dict.fromkeys(run.model for run in runs))


def objectives_of(runs: Runs) -> list[str]:
    return list(dict.fromkeys(run.objective for run in runs))


def cell_of(runs: Runs, model: str, objective: str) -> list[Tracked]:
    """The seeds of one cell."""
    return [run for run in runs if (run.model, run.objective) == (model, objective)]


def over_seeds(runs: Runs, quantity: str, dimension: int) -> pd.DataFrame:
    """Columns step, value, low, high: the mean of some runs at the checkpoints they share, and their widest bounds."""
    curves = [select_curve(run.table, quantity, dimension)[["step", "value", "low", "high"]] for run in runs]
    if not curves:
        return pd.DataFrame(columns=["step", "value", "low", "high"], dtype=float)
    joined = pd.concat(curves)
    # A run without an interval is its own bounds: the band then spans the seeds.
    bounds = {"low": joined.low.fillna(joined.value), "high": joined.high.fillna(joined.value)}
    by_step = joined.assign(**bounds).groupby("step")
    means = by_step.agg({"value": "mean", "low": "min", "high": "max"})
    return means[by_step.size() == len(curves)].reset_index()


def curve_marks(rows: pd.DataFrame, name: str, color: int, *, dashed: bool = False) -> list[Mark]:
    """A line with its band, over steps + 1."""
    x = list(rows.step + 1)
    return [
        Band(f"{name}: bounds", x, list(rows.low), list(rows.high), color),
        Line(name, x, list(rows.value), color, dashed),
    ]


def draw_grid(runs: Runs, dimension: int) -> Figure:
    """Models x objectives: velocity at constant lag and naive velocity on one axis; underneath the learning rate, where
    any is known."""
    models, objectives = models_of(runs), objectives_of(runs)
    has_rate = any(is_measured(run.table, "learning_rate") for run in runs)
    rows: list[list[Panel]] = []
    drawn: list[pd.DataFrame] = []
    for model in models:
        above, below = [], []
        for objective in objectives:
            seeds = cell_of(runs, model, objective)
            velocity, naive = (over_seeds(seeds, name, dimension) for name in ("velocity", "naive_velocity"))
            drawn += [velocity, naive]
            marks = curve_marks(velocity, "velocity at constant lag", 0)
            marks += curve_marks(naive, "naive velocity", 1, dashed=True)
            x_title = STEP if model == models[-1] and not has_rate else ""
            above.append(Panel(_title(model, objective, seeds), x_title, "W1 per step", marks, log_x=True, log_y=True))
            below.append(_rate_panel(seeds, last=model == models[-1]))
        rows += [above, below] if has_rate else [above]
    bounds = _common_range(drawn)
    rows = [[_with_range(panel, bounds) if panel.log_y else panel for panel in row] for row in rows]
    return Figure(
        f"velocity_H{dimension}", f"Velocity and naive velocity, H{dimension}", rows,
        "Mean over the blocks and over the seeds; shaded: the lowest and the highest 95 % bound of any seed. The naive "
        "velocity divides by the steps between checkpoints and falls as they spread out, whatever the model does.",
        heights=([0.75, 0.3] if has_rate else [0.75]) * len(models), legend_below=True,
    )  # fmt: skip


def _title(model: str, objective: str, seeds: Runs) -> str:
    if not seeds:
        return f"{model}, {objective}: no finished run"
    return f"{model}, {objective}" + (f" ({len(seeds)} seeds)" if len(seeds) > 1 else "")


def _rate_panel(seeds: Runs, *, last: bool) -> Panel:
    marks: list[Mark] = []
    if seeds:  # the seeds of a cell share their schedule
        rate = select_curve(seeds[0].table, "learning_rate", layer="")
        marks.append(Line("learning rate", list(rate.step + 1), list(rate.value), color=7))
    return Panel("", STEP if last else "", "rate", marks, log_x=True)


def _common_range(curves: Sequence[pd.DataFrame]) -> tuple[float, float] | None:
    """An axis that holds all of them, on a logarithmic scale; None where nothing is above 0."""
    values = pd.concat([*(part.low for part in curves), *(part.high for part in curves)]).dropna()
    values = values[values > 0]
    return (0.8 * float(values.min()), 1.25 * float(values.max())) if len(values) else None


def _with_range(panel: Panel, bounds: tuple[float, float] | None) -> Panel:
    return Panel(panel.title, panel.x_title, panel.y_title, panel.marks, panel.log_x, panel.log_y, bounds)


def draw_depth(runs: Runs, dimension: int) -> Figure:
    """Models x objectives: heat maps of excess over depth and checkpoints, one scale of colours for all."""
    models, objectives = models_of(runs), objectives_of(runs)
    heats = {
        (model, objective): _excess_by_depth(cell_of(runs, model, objective), dimension)
        for model in models for objective in objectives
    }  # fmt: skip
    found = np.concatenate([np.abs(np.log(heat.z[np.isfinite(heat.z)])) for heat in heats.values()])
    factor = min(SEEN, max(2.0, float(np.exp(found.max())))) if len(found) else 2.0
    rows = [
        [
            Panel(
                _title(model, objective, cell_of(runs, model, objective)),
                "optimizer step (checkpoints, not to scale)" if model == models[-1] else "", DEPTH,
                [heats[model, objective]], y_range=(0.0, 1.0),
            )
            for objective in objectives
        ]
        for model in models
    ]  # fmt: skip
    return Figure(
        f"excess_H{dimension}", f"Excess over chance by depth, H{dimension}", rows,
        "Velocity over that of equally smooth random movement of the same size; 1, pale, is chance. Depth is block / "
        "blocks, so that models of unequal depth share an axis. Geometric mean over the seeds; beyond "
        f"{SEEN:g} x colours differ no more.",
        heights=[0.7] * len(models), scale=ColorScale(factor, "excess"),
    )  # fmt: skip


def _excess_by_depth(runs: Runs, dimension: int) -> Heat:
    """Layers x shared checkpoints, the geometric mean over runs."""
    tables = [drop_rounding(run.table) for run in runs]
    parts = [steps_by_layer(table, "excess", dimension).drop(columns=MEAN, errors="ignore").T for table in tables]
    shared = sorted(set.intersection(*(set(part.columns) for part in parts))) if parts else []
    if not shared:
        return Heat(f"excess H{dimension}", [], [0.0], np.empty((0, 0)))
    layers = list(parts[0].index)
    z = np.exp(np.mean([np.log(part.reindex(layers)[shared].to_numpy()) for part in parts], axis=0))
    return Heat(f"excess H{dimension}", [str(step) for step in shared], depth_edges(layers), z)


def depth_edges(layers: Sequence[str]) -> list[float]:
    """Where each block begins, and the last one ends, as a share of the model's depth.

    By the numbers that their names end with; where those say no depth, layers of anything are as thick as each other.
    """
    found = [re.search(r"\d+$", layer) for layer in layers]
    numbers = [int(number[0]) for number in found if number]
    if len(numbers) < len(layers) or any(later <= number for number, later in pairwise(numbers)):
        numbers = list(range(1, len(layers) + 1))
    if numbers[0] == 0:  # what enters the first block is a layer, too
        numbers = [number + 1 for number in numbers]
    return [n / numbers[-1] for n in (numbers[0] - 1, *numbers)]


def draw_twins(runs: Runs, number: int, pretrained: str, instruct: str, dimensions: Sequence[int]) -> Figure:
    """The curves of the `number`th matched pair on the same axes, objective by objective."""
    both = [run for run in runs if run.model in (pretrained, instruct)]
    quantities = {"velocity": "W1 per step", "excess": "velocity / chance", "drift": "W1 to step 0"}
    rows = []
    for k in dimensions:
        for quantity, unit in quantities.items():
            row = []
            for objective in objectives_of(both):
                marks: list[Mark] = []
                for color, model in enumerate((pretrained, instruct)):
                    marks += curve_marks(over_seeds(cell_of(both, model, objective), quantity, k), model, color)
                row.append(Panel(f"{quantity} H{k}, {objective}", "", unit, marks, log_x=True))
            rows.append(row)
    rows[-1] = [Panel(p.title, STEP, p.y_title, p.marks, p.log_x) for p in rows[-1]]
    return Figure(
        f"twins_{number}", f"Twins: {pretrained} (pretrained) beside {instruct} (instruct)", rows,
        "Mean over the blocks and over the seeds; shaded: the lowest and the highest 95 % bound of any seed. A "
        "difference speaks of this pair, not of instruction tuning.",
        heights=[0.65] * len(rows), legend_below=True,
    )  # fmt: skip
