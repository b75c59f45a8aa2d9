"""How far diagrams are apart, and what of it one common change explains."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src.measure.shape_change import own_scale_distance, shape_coherence, shape_distance
from src.topology import compute_diagram


@pytest.fixture(scope="module")
def diagram() -> np.ndarray:
    return compute_diagram(np.random.default_rng(0).normal(size=(50, 4)))


@pytest.mark.parametrize("k", [0, 1])
def test_a_common_scaling_is_all_coherence_and_no_own_scale_distance(diagram: np.ndarray, k: int) -> None:
    for factor, sign in ((1.02, 1), (0.98, -1)):
        scaled = diagram * [factor, factor, 1]
        assert shape_distance(diagram, scaled, k) > 0
        # In H1 a few bars are better matched to others than to themselves.
        assert shape_coherence(diagram, scaled, k) == pytest.approx(sign, abs=0.02 if k == 0 else 0.3)
        assert own_scale_distance(diagram, scaled, k) == pytest.approx(0, abs=1e-9)


def test_changes_that_cancel_have_no_coherence(diagram: np.ndarray) -> None:
    moved = diagram.copy()
    clusters = np.flatnonzero(moved[:, 2] == 0)
    moved[clusters, 1] += 1e-4 * np.where(np.arange(len(clusters)) % 2, 1, -1)[: len(clusters)]
    assert abs(shape_coherence(diagram, moved, 0)) < 0.1
    assert own_scale_distance(diagram, moved, 0) > 0


def test_short_loops_that_come_or_go_do_not_scale_the_others(diagram: np.ndarray) -> None:
    loops = diagram[diagram[:, 2] == 1]
    shortest = loops[np.argmin(loops[:, 1] - loops[:, 0])]
    fewer = diagram[~(diagram == shortest).all(axis=1)]
    length = diagram[diagram[:, 2] == 0, 1].mean()
    assert own_scale_distance(diagram, fewer, 1) == pytest.approx((shortest[1] - shortest[0]) / 2 / length)


def test_what_does_not_exist_has_no_number(diagram: np.ndarray) -> None:
    assert math.isnan(shape_distance(None, diagram, 0))
    assert math.isnan(own_scale_distance(diagram, None, 0))
    assert math.isnan(own_scale_distance(diagram[:0], diagram, 0)), "no bar, no length"
    assert math.isnan(shape_coherence(diagram, diagram, 0)), "nothing changed"
