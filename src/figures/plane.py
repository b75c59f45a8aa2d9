"""Runs as points: their trajectories in a plane, and how far shapes went against behaviour and geometry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..findings import Tracked, trajectories
from ..metrics.selection import is_measured, select_curve
from ..metrics.table import MEAN
from .comparison import Runs, cell_of, models_of, objectives_of
from .panels import Dots, Figure, Mark, Panel

COLUMNS = 3
DRAWN_BEHAVIOR = ("kl_to_base", "eval_loss_helpful", "eval_loss_harmless", "preference_accuracy_helpful", "train_loss")
DRAWN_GEOMETRY = ("cka_to_base", "displacement", "effective_rank", "anisotropy", "scale")
"""What is drawn against topology: the first `COLUMNS` of each that a comparison has."""
SINCE_START = ("eval_loss", "preference_accuracy", "train_loss", "effective_rank", "anisotropy", "scale")
"""What differs between models before anything is trained, and is therefore drawn as its change since step 0."""


ROUNDING = 1e-12
"""Share of the longest axis below which another one is rounding: two runs lie on a line."""


def place_runs(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Classical multidimensional scaling of Euclidean distances into the plane (Torgerson, doi:10.1007/BF02288916).

    Args:
        points: (R, F), R at least 2.

    Returns:
        (R, 2) places, and the share of the squared distances that they keep, from 0 to 1. Deterministic; of each axis
        the sign is chosen so that its largest value is positive.
    """
    centred = points - points.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(points), 2))
    kept = min(2, len(values))
    values[values < ROUNDING * values.max(initial=0.0)] = (
        0.0  # an axis of rounding alone would be drawn as if it were one
    )
    places[:, :kept] = left[:, :kept] * values[:kept]
    signs = np.sign(places[np.abs(places).argmax(axis=0), range(2)])
    total = float((values**2).sum())
    return places * np.where(signs == 0, 1.0, signs), float((values[:2] ** 2).sum()) / total if total else 1.0


def draw_plane(runs: Runs) -> Figure:
    """Every run's trajectory as one point, coloured by objective, shaped by model.

    Raises:
        ValueError: if the runs share no checkpoint.
    """
    points, steps = trajectories([run.table for run in runs])
    places, kept = place_runs(points)
    where = {run.name: place for run, place in zip(runs, places, strict=True)}
    marks: list[Mark] = []
    for model, objective, seeds in _cells(runs):
        x, y = np.array([where[run.name] for run in seeds]).T
        marks.append(_dots(runs, model, objective, list(x), list(y), [run.name for run in seeds], size=11))
    panel = Panel("", "first axis", "second axis", marks)
    return Figure(
        "trajectories", "Runs in one plane, by how their shapes moved", [[panel]],
        f"Each point is a run's whole trajectory: log drift and log velocity of H0 and H1 at {len(steps)} shared "
        f"checkpoints, z-scored over the runs. Their distances, by classical scaling into two axes that keep "
        f"{100 * kept:.0f} % of the squared distances. Colour: objective; shape: model.",
        heights=[1.3], legend_below=True,
    )  # fmt: skip


def _cells(runs: Runs) -> list[tuple[str, str, list[Tracked]]]:
    cells = [(m, o, cell_of(runs, m, o)) for m in models_of(runs) for o in objectives_of(runs)]
    return [cell for cell in cells if cell[2]]


def _dots(
    runs: Runs, model: str, objective: str, x: Sequence[float], y: Sequence[float], labels: Sequence[str], size: float
) -> Dots:
    color, symbol = objectives_of(runs).index(objective), models_of(runs).index(model)
    return Dots(f"{model}, {objective}", x, y, color, symbol, size, labels)


def draw_against(runs: Runs, dimension: int) -> Figure:
    """Drift against behaviour, above, and against geometry, below: a point for each run and checkpoint."""
    behavior = [name for name in DRAWN_BEHAVIOR if all(is_measured(run.table, name) for run in runs)]
    geometry = [name for name in DRAWN_GEOMETRY if all(is_measured(run.table, name) for run in runs)]
    width = max(1, min(COLUMNS, len(behavior), len(geometry)))
    rows = [
        [_against(runs, dimension, name, layer) for name in names[:width]]
        for names, layer in ((behavior, ""), (geometry, MEAN)) if names
    ]  # fmt: skip
    return Figure(
        "against", f"Topology against behaviour and geometry, H{dimension}", rows,
        "A point for each run and checkpoint where both were measured. Where drift is one curve of another quantity, "
        "for all models and objectives, it says nothing beyond it; complementarity puts a number on that.",
        heights=[0.85] * len(rows), legend_below=True,
    )  # fmt: skip


def _against(runs: Runs, dimension: int, quantity: str, layer: str) -> Panel:
    marks: list[Mark] = []
    for model, objective, seeds in _cells(runs):
        both = pd.concat([_pair(run, dimension, quantity, layer).assign(run=run.name) for run in seeds])
        labels = [f"{name}, step {step}" for name, step in zip(both.run, both.step, strict=True)]
        marks.append(_dots(runs, model, objective, list(both.value_x), list(both.value_y), labels, size=5))
    since = ", change" if quantity.startswith(SINCE_START) else ""
    return Panel("", quantity.replace("_", " ") + since, f"drift H{dimension}", marks)


def _pair(run: Tracked, dimension: int, quantity: str, layer: str) -> pd.DataFrame:
    """Columns step, value_x (the quantity), value_y (drift) at the checkpoints after the first."""
    columns = ["step", "value"]
    other, drift = select_curve(run.table, quantity, layer=layer)[columns], select_curve(run.table, "drift", dimension)
    if quantity.startswith(SINCE_START) and len(other):
        other = other.assign(value=other.value - other.value.iloc[0])
    return other.merge(drift[drift.value > 0][columns], on="step")
