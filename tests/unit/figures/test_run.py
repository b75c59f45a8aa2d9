"""Figures of one run: what is drawn is what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from src.figures.panels import Heat, Line
from src.figures.run import choose_shown, draw_betti, draw_drift, draw_velocity

LAYERS = ["layer_01", "layer_02", "layer_03", "layer_04"]


def test_the_heat_map_holds_the_averaged_velocities(table: pd.DataFrame) -> None:
    figure = draw_velocity(table, (0, 1))
    heat = figure.rows[0][1].marks[0]
    assert isinstance(heat, Heat)
    assert list(heat.x) == ["0", "4", "9"]
    assert list(heat.y) == LAYERS, "the mean is no block"
    assert heat.z.tolist() == [[step + n + 10 for step in (0, 4, 9)] for n in range(4)]


def test_drift_stands_beside_the_losses(table: pd.DataFrame) -> None:
    h0, _, loss = draw_drift(table, (0, 1)).rows[0]
    assert [mark.name for mark in h0.marks] == [*LAYERS, "mean"]
    assert {mark.name for mark in loss.marks} == {"train loss", "eval loss helpful"}
    assert all(isinstance(mark, Line) and list(mark.x) == [0, 4, 9] for mark in loss.marks)


def test_where_no_loss_is_known_none_is_drawn(table: pd.DataFrame) -> None:
    figure = draw_drift(table[~table.quantity.str.contains("loss")], (0, 1))
    assert [panel.title for panel in figure.rows[0]] == ["drift, H0", "drift, H1"]
    assert figure.title == "How far the shape has moved"


def test_betti_curves_count_the_bars_alive(diagrams: dict) -> None:
    heat = draw_betti(diagrams, ["layer_01"], (0, 1)).rows[0][0].marks[0]
    assert isinstance(heat, Heat)
    assert heat.z.shape[0] == 3
    assert heat.z[0, 0] == 30, "all H0 bars are alive at length 0"
    assert (np.diff(heat.z, axis=1) <= 0).all(), "H0 bars only die"
    assert heat.z[:, -1].max() <= 1


def test_three_layers_are_shown() -> None:
    assert choose_shown(LAYERS) == ["layer_01", "layer_03", "layer_04"]
    assert choose_shown(["layer_01"]) == ["layer_01"]
