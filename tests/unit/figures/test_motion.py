"""Speed, excess and movement of a walk that was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from src.figures.motion import draw_excess, draw_movement, draw_speed
from src.figures.panels import Band, Heat, Line
from src.metrics.table import Row, tabulate


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


def test_where_no_learning_rate_is_known_none_is_drawn(tracked: pd.DataFrame) -> None:
    figure = draw_speed(tracked[tracked.quantity != "learning_rate"], (0, 1))
    assert [[panel.title[:2] for panel in row] for row in figure.rows] == [["H0", "H1"]]
    assert "not known" in figure.notes


def test_excess_has_the_band_of_chance_about_1(tracked: pd.DataFrame) -> None:
    above, below = draw_excess(tracked, (0, 1)).rows
    chance = next(mark for mark in above[0].marks if isinstance(mark, Band))
    assert chance.name == "chance, 95 %"
    assert all(low < 1 < high for low, high in zip(chance.low, chance.high, strict=True))
    heat = below[0].marks[0]
    assert isinstance(heat, Heat)
    assert list(heat.y) == ["layer_01"]
    assert heat.z.shape == (1, 4)


def test_random_updates_are_drawn_where_they_were_made(tracked: pd.DataFrame) -> None:
    updates = [Row(step, "weights_excess", 1.2, "mean", 0) for step in (0, 6)]
    lines = [
        {mark.name: mark for mark in draw_excess(table, (0,)).rows[0][0].marks if isinstance(mark, Line)}
        for table in (tracked, pd.concat([tracked, tabulate(updates)], ignore_index=True))
    ]
    (added,) = lines[1].keys() - lines[0].keys()
    assert added == "random updates of the weights"
    assert list(lines[1][added].x) == [1, 7]


def test_the_parts_of_displacement_add_up_in_squares(tracked: pd.DataFrame) -> None:
    lines = {mark.name: np.array(mark.y) for mark in draw_movement(tracked).rows[0][0].marks if isinstance(mark, Line)}
    np.testing.assert_allclose(lines["rigid part"] ** 2 + lines["the rest"] ** 2, lines["displacement"] ** 2)
