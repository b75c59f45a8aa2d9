"""Figures of a page: the slider, and nothing from the outside."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from src.figures.interactive import draw_plotly, make_page
from src.figures.panels import Figure, Line, Panel
from src.figures.run import choose_shown, draw_diagrams, draw_velocity

LAYERS = ["layer_01", "layer_02", "layer_03", "layer_04"]


def test_the_slider_shows_one_step_at_a_time(diagrams: dict) -> None:
    drawn = draw_plotly(draw_diagrams(diagrams, choose_shown(LAYERS), (0, 1)))
    steps = drawn.layout.sliders[0].steps
    assert [step.label for step in steps] == ["0", "4", "9"]
    masks = np.array([step.args[1] for step in steps])
    assert (masks.sum(0) == 1).all(), "every trace belongs to exactly one step"
    assert [trace.visible for trace in drawn.data] == masks[0].tolist()


def test_the_page_asks_nothing_of_the_outside_and_escapes_its_text(table: pd.DataFrame, diagrams: dict) -> None:
    odd = Figure("odd", "<b>a title</b>", [[Panel("p", "x", "y", [Line("l", [0], [1])])]])
    page = make_page("<script>alert(1)</script>", [draw_velocity(table, (1,)), odd])
    assert "<script>alert(1)" not in page
    assert "<b>a title" not in page
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    assert "prefers-color-scheme: dark" in page
