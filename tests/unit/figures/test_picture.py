"""Figures as PNG."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from src.figures.interactive import draw_plotly
from src.figures.motion import draw_excess, draw_movement, draw_speed
from src.figures.picture import draw_png
from src.figures.run import choose_shown, draw_diagrams, draw_velocity

LAYERS = ["layer_01", "layer_02", "layer_03", "layer_04"]


def test_pictures_are_png_of_the_size_of_their_grid(table: pd.DataFrame, diagrams: dict) -> None:
    one = imread(io.BytesIO(draw_png(draw_velocity(table, (1,)))))
    grid = imread(io.BytesIO(draw_png(draw_diagrams(diagrams, choose_shown(LAYERS), (0, 1))[4])))
    assert grid.shape[0] == pytest.approx(2 * one.shape[0], abs=2)
    assert grid.shape[1] == pytest.approx(3 * one.shape[1], abs=2)
    assert len(np.unique(grid.reshape(-1, grid.shape[-1]), axis=0)) > 100, "something is drawn"


def test_bands_are_drawn_by_both(tracked: pd.DataFrame) -> None:
    figures = [draw_speed(tracked, (0, 1)), draw_excess(tracked, (0, 1)), draw_movement(tracked)]
    for figure in figures:
        assert imread(io.BytesIO(draw_png(figure)), format="png").shape[2] >= 3
        drawn = draw_plotly({0: figure})
        assert any(trace.fill == "toself" for trace in drawn.data)
        assert drawn.layout.xaxis.type == "log"
