"""Figures from planted tables and diagrams: what is drawn is what was planted, and the page stands alone."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from src.figures.interactive import draw_plotly, make_page
from src.figures.panels import Figure, Heat, Line, Panel
from src.figures.picture import draw_png
from src.figures.run import choose_shown, draw_betti, draw_diagrams, draw_drift, draw_velocity
from src.measure.table import Row, with_means

LAYERS = ["layer_01", "layer_02", "layer_03", "layer_04"]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rows = [
        Row(step, quantity, step + n + 10 * k, layer, k)
        for step in (0, 4, 9) for n, layer in enumerate(LAYERS) for k in (0, 1) for quantity in ("velocity", "drift")
    ]  # fmt: skip
    losses = [Row(step, name, 3 - step / 9) for step in (0, 4, 9) for name in ("train_loss", "eval_loss_helpful")]
    single = [Row(4, "velocity", 999.0, "layer_01", 1, pair_step=5)]
    return pd.DataFrame([vars(row) for row in with_means(rows) + losses + single])


@pytest.fixture(scope="module")
def diagrams() -> dict[int, dict[str, np.ndarray]]:
    def diagram() -> np.ndarray:
        h0 = np.column_stack([np.zeros(30), RNG.random(30) + 0.1, np.zeros(30)])
        births = RNG.random(12)
        return np.concatenate([h0, np.column_stack([births, births + 0.1, np.ones(12)])])

    return {step: {layer: diagram() for layer in LAYERS} for step in (0, 4, 9)}


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


def test_pictures_are_png_of_the_size_of_their_grid(table: pd.DataFrame, diagrams: dict) -> None:
    one = imread(io.BytesIO(draw_png(draw_velocity(table, (1,)))))
    grid = imread(io.BytesIO(draw_png(draw_diagrams(diagrams, choose_shown(LAYERS), (0, 1))[4])))
    assert grid.shape[0] == pytest.approx(2 * one.shape[0], abs=2)
    assert grid.shape[1] == pytest.approx(3 * one.shape[1], abs=2)
    assert len(np.unique(grid.reshape(-1, grid.shape[-1]), axis=0)) > 100, "something is drawn"
