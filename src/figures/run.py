"""The figures of one run, from its table and its diagrams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..metrics.selection import steps_by_layer
from ..metrics.table import MEAN
from .diagrams import Diagrams
from .panels import Bars, Dots, Figure, Heat, Line, Mark, Panel

BETTI_POINTS = 80
SHOWN_BARS = 60
"""Longest bars of each dimension in a barcode; the rest would be hair."""


def choose_shown(layers: Sequence[str]) -> list[str]:
    """Three layers at most: the first, the middle, the last."""
    return list(dict.fromkeys([layers[0], layers[len(layers) // 2], layers[-1]]))


def draw_velocity(table: pd.DataFrame, dimensions: Sequence[int]) -> Figure:
    """Layer x step heat maps of velocity."""
    panels = []
    for k in dimensions:
        speeds = steps_by_layer(table, "velocity", k).drop(columns=MEAN, errors="ignore")
        heat = Heat(f"H{k}", [str(step) for step in speeds.index], list(speeds.columns), speeds.to_numpy().T)
        panels.append(
            Panel(
                f"velocity, H{k}, up to {np.nanmax(heat.z):.3g}",
                "optimizer step (checkpoints, not to scale)",
                "block",
                [heat],
            )
        )
    return Figure(
        "velocity", "How fast the shape changes", [panels],
        "W1 between shape diagrams one lag apart, per step. Columns are checkpoints: they lie closer early in the run.",
    )  # fmt: skip


def draw_drift(table: pd.DataFrame, dimensions: Sequence[int]) -> Figure:
    """Drift of each layer over training; beside it losses, where they are known."""
    panels = []
    for k in dimensions:
        drift = steps_by_layer(table, "drift", k)
        marks: list[Mark] = [
            Line(layer, list(drift.index), list(drift[layer]), color=n, dashed=layer == MEAN)
            for n, layer in enumerate(drift.columns)
        ]
        panels.append(Panel(f"drift, H{k}", "optimizer step", "W1 to step 0 (in units of the scale)", marks))
    losses = table[table.quantity.str.startswith(("eval_loss_", "train_loss"))].sort_values("step")
    curves: list[Mark] = [
        Line(str(name).replace("_", " "), list(rows.step), list(rows.value), color=n, dashed=name == "train_loss")
        for n, (name, rows) in enumerate(losses.groupby("quantity"))
    ]
    title = "How far the shape has moved"
    if not curves:  # of somebody else's training
        return Figure("drift", title, [panels])
    panels.append(Panel("loss", "optimizer step", "nats per token", curves))
    return Figure("drift", f"{title}, and what was learned meanwhile", [panels])


def draw_betti(diagrams: Diagrams, layers: Sequence[str], dimensions: Sequence[int]) -> Figure:
    """Betti curves over training: number of bars alive at each length, one row per checkpoint."""
    rows = []
    for k in dimensions:
        panels = []
        for layer in layers:
            bars = {step: by_layer[layer] for step, by_layer in diagrams.items()}
            bars = {step: d[d[:, 2] == k] for step, d in bars.items()}
            longest = max((float(d[:, 1].max()) for d in bars.values() if len(d)), default=1.0)
            grid = np.linspace(0, longest, BETTI_POINTS)
            alive = [np.sum((d[:, :1] <= grid) & (grid < d[:, 1:2]), axis=0) for d in bars.values()]
            heat = Heat(
                f"H{k}", [f"{value:.3g}" for value in grid], [str(s) for s in bars], np.array(alive, dtype=float)
            )
            panels.append(Panel(f"{layer}, H{k}, up to {heat.z.max():.0f}", "length / scale", "optimizer step", [heat]))
        rows.append(panels)
    return Figure("betti", "Betti curves over training", rows, "Bars alive at each length, checkpoint by checkpoint.")


def draw_diagrams(diagrams: Diagrams, layers: Sequence[str], dimensions: Sequence[int]) -> dict[int, Figure]:
    """Persistence diagram and barcode of some layers, one figure per checkpoint, all on the same axes."""
    note = "Lengths in units of each cloud's own scale, its median pairwise distance."
    figures = {}
    for step, by_layer in diagrams.items():
        rows = [
            [draw(by_layer[layer], layer, dimensions) for layer in layers] for draw in (_diagram_panel, _barcode_panel)
        ]
        figures[step] = Figure("diagrams", f"Persistence at step {step}", rows, note)
    return figures


def _diagram_panel(diagram: np.ndarray, layer: str, dimensions: Sequence[int]) -> Panel:
    top = float(diagram[:, 1].max()) if len(diagram) else 1.0
    marks: list[Mark] = [Line("birth = death", [0, top], [0, top], color=7, dashed=True)]
    for n, k in enumerate(dimensions):
        bars = diagram[diagram[:, 2] == k]
        marks.append(Dots(f"H{k}", list(bars[:, 0]), list(bars[:, 1]), color=n))
    return Panel(f"{layer}: diagram", "birth", "death", marks)


def _barcode_panel(diagram: np.ndarray, layer: str, dimensions: Sequence[int]) -> Panel:
    marks: list[Mark] = []
    row = 0
    for n, k in enumerate(dimensions):
        bars = diagram[diagram[:, 2] == k]
        longest = bars[np.argsort(bars[:, 0] - bars[:, 1], kind="stable")[:SHOWN_BARS]]
        longest = longest[np.argsort(longest[:, 0], kind="stable")]
        marks.append(
            Bars(f"H{k}", list(longest[:, 0]), list(longest[:, 1]), list(range(row, row + len(longest))), color=n)
        )
        row += len(longest) + 3
    return Panel(f"{layer}: barcode, {SHOWN_BARS} longest of each", "length / scale", "", marks)
