"""Runs as points of a plane."""

from __future__ import annotations

import numpy as np
import pytest

from src.figures.panels import Dots
from src.figures.plane import draw_plane, place_runs
from src.figures.report import Comparison


def test_scaling_keeps_the_distances_of_points_in_a_plane() -> None:
    plane = np.random.default_rng(0).normal(size=(7, 2))
    turned = np.column_stack([plane, np.zeros((7, 3))]) @ np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    places, kept = place_runs(turned)
    assert kept == pytest.approx(1)
    between = [np.linalg.norm(x[:, None] - x[None], axis=2) for x in (plane, places)]
    np.testing.assert_allclose(*between, atol=1e-12)


def test_two_runs_lie_on_a_line() -> None:
    places, kept = place_runs(np.random.default_rng(2).normal(size=(2, 9)))
    assert kept == 1
    assert places[:, 1].tolist() == [0, 0]
    assert places[0, 0] == pytest.approx(-places[1, 0])


def test_every_run_is_a_point_coloured_by_objective_and_shaped_by_model(comparison: Comparison) -> None:
    marks = [mark for mark in draw_plane(comparison.runs).rows[0][0].marks if isinstance(mark, Dots)]
    assert sum(len(mark.x) for mark in marks) == 16
    of = {mark.name: (mark.color, mark.symbol) for mark in marks}
    assert of["tiny, helpful"][0] == of["tiny_instruct, helpful"][0] != of["tiny, mixed"][0]
    assert of["tiny, helpful"][1] == of["tiny, mixed"][1] != of["tiny_instruct, mixed"][1]
