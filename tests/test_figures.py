"""Figures from planted tables and diagrams: what is drawn is what was planted, and the page stands alone."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from src.figures.interactive import draw_plotly, make_page
from src.figures.motion import draw_excess, draw_movement, draw_speed
from src.figures.panels import Band, Figure, Heat, Line, Panel
from src.figures.picture import draw_png
from src.figures.run import choose_shown, draw_betti, draw_diagrams, draw_drift, draw_velocity
from src.measure import track
from src.metrics.table import Row, with_means

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


@pytest.fixture(scope="module")
def tracked() -> pd.DataFrame:
    """A walk of one layer, called the mean, with its learning rate."""
    rng = np.random.default_rng(0)
    clouds = {0: rng.normal(size=(80, 4))}
    for step in range(1, 8):
        clouds[step] = clouds[step - 1] + 0.02 * rng.normal(size=(80, 4))
    series = track(clouds, checkpoints=[0, 2, 4, 6], subsamples=4, null_draws=4).assign(layer="mean")
    rates = pd.DataFrame([vars(Row(step, "learning_rate", 1e-3 * (1 + step))) for step in range(8)])
    return pd.concat([series, series.assign(layer="layer_01"), rates], ignore_index=True)


def test_velocity_and_naive_velocity_share_an_axis_with_their_intervals(tracked: pd.DataFrame) -> None:
    above, below = draw_speed(tracked, (0, 1)).rows
    for k, panel in enumerate(above):
        lines = {mark.name: mark for mark in panel.marks if isinstance(mark, Line)}
        assert set(lines) == {"velocity at constant lag", "naive velocity"}
        bands = [mark for mark in panel.marks if isinstance(mark, Band)]
        assert len(bands) == 2
        velocity, band = lines["velocity at constant lag"], bands[0]
        assert list(velocity.x) == [1, 3, 5, 7], "steps + 1, on a logarithmic axis"
        assert all(low < value < high for low, value, high in zip(band.low, velocity.y, band.high, strict=True))
        rows = tracked[(tracked.quantity == "velocity") & (tracked.layer == "mean") & (tracked.dimension == k)]
        whole = rows[(rows["sample"] == -1) & (rows.pair_step == -1)]
        assert list(velocity.y) == list(whole.value)
    assert [mark.name for mark in below[0].marks] == ["learning rate"]


def test_excess_has_the_band_of_chance_about_1(tracked: pd.DataFrame) -> None:
    above, below = draw_excess(tracked, (0, 1)).rows
    chance = next(mark for mark in above[0].marks if isinstance(mark, Band))
    assert chance.name == "chance, 95 %"
    assert all(low < 1 < high for low, high in zip(chance.low, chance.high, strict=True))
    heat = below[0].marks[0]
    assert isinstance(heat, Heat)
    assert list(heat.y) == ["layer_01"]
    assert heat.z.shape == (1, 4)


def test_the_parts_of_displacement_add_up_in_squares(tracked: pd.DataFrame) -> None:
    lines = {mark.name: np.array(mark.y) for mark in draw_movement(tracked).rows[0][0].marks if isinstance(mark, Line)}
    np.testing.assert_allclose(lines["rigid part"] ** 2 + lines["the rest"] ** 2, lines["displacement"] ** 2)


def test_bands_are_drawn_by_both(tracked: pd.DataFrame) -> None:
    figures = [draw_speed(tracked, (0, 1)), draw_excess(tracked, (0, 1)), draw_movement(tracked)]
    for figure in figures:
        assert imread(io.BytesIO(draw_png(figure)), format="png").shape[2] >= 3
        drawn = draw_plotly({0: figure})
        assert any(trace.fill == "toself" for trace in drawn.data)
        assert drawn.layout.xaxis.type == "log"
