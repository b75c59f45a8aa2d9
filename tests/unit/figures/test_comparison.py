"""Figures of many runs: what is drawn is what was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from src.figures.comparison import depth_edges, draw_depth, draw_grid, over_seeds
from src.figures.panels import Band, Heat, Line
from src.figures.report import Comparison
from tests.support.planted import STEPS


def test_seeds_are_drawn_as_their_mean_within_their_widest_bounds(comparison: Comparison) -> None:
    seeds = [run for run in comparison.runs if (run.model, run.objective) == ("tiny", "helpful")]
    drawn = over_seeds(seeds, "velocity", 1)
    whole = [
        run.table.query("quantity == 'velocity' and layer == 'mean' and dimension == 1 and sample == -1")
        for run in seeds
    ]
    curves = np.array([rows[rows.pair_step == -1].sort_values("step").value for rows in whole])
    np.testing.assert_allclose(drawn.value, curves.mean(axis=0))
    np.testing.assert_allclose(drawn.low, curves.min(axis=0) / 1.2)
    assert list(drawn.step) == list(STEPS)


def test_the_grid_has_velocity_naive_velocity_and_learning_rate_in_each_cell_on_one_axis(
    comparison: Comparison,
) -> None:
    figure = draw_grid(comparison.runs, 1)
    assert [len(row) for row in figure.rows] == [3] * 4
    for above, below in ((figure.rows[0], figure.rows[1]), (figure.rows[2], figure.rows[3])):
        for panel, rate in zip(above, below, strict=True):
            names = {mark.name for mark in panel.marks if isinstance(mark, Line)}
            assert names == {"velocity at constant lag", "naive velocity"}
            assert sum(isinstance(mark, Band) for mark in panel.marks) == 2
            assert [mark.name for mark in rate.marks] == ["learning rate"]
    assert len({panel.y_range for row in figure.rows[::2] for panel in row}) == 1


def test_the_grid_has_no_panel_for_learning_rates_that_nobody_knows(comparison: Comparison) -> None:
    runs = [replace(run, table=run.table[run.table.quantity != "learning_rate"]) for run in comparison.runs]
    figure = draw_grid(runs, 1)
    assert [[len(panel.marks) for panel in row] for row in figure.rows] == [[4] * 3] * 2
    assert len(figure.heights) == 2


def test_depth_is_shared_by_models_of_unequal_depth(comparison: Comparison) -> None:
    assert depth_edges(["layer_01", "layer_02", "layer_03", "layer_04"]) == [0, 0.25, 0.5, 0.75, 1]
    assert depth_edges(["encoder.layer.03", "encoder.layer.12"]) == [2 / 12, 3 / 12, 1]
    assert depth_edges(["layer_00", "layer_01"]) == [0, 0.5, 1]
    assert depth_edges(["1_stem", "2_head"]) == depth_edges(["a_2", "b_1"]) == [0, 0.5, 1]
    heat = draw_depth(comparison.runs, 0).rows[0][0].marks[0]
    assert isinstance(heat, Heat)
    assert (heat.y[0], heat.y[-1], heat.z.shape) == (0, 1, (3, len(STEPS)))
