"""Čech persistence against its definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from src.topology.cech import CechPersistence
from tests.support.giotto import needs_giotto


def enclosing_radius(points: np.ndarray) -> float:
    """Radius of the smallest ball around a few points: of all balls through some of them that hold the others too."""
    best = np.inf
    for count in range(1, 5):
        for part in itertools.combinations(points, min(count, len(points))):
            first, rest = part[0], np.array(part[1:])
            centre = first
            if len(rest):
                sides = 2 * (rest - first)
                right = (rest**2).sum(1) - first @ first - sides @ first
                centre = first + np.linalg.lstsq(sides, right, rcond=None)[0]
            reach = np.linalg.norm(points - centre, axis=1).max()
            if np.isclose(reach, np.linalg.norm(first - centre), atol=1e-12):
                best = min(best, reach)
    return float(best)


@pytest.mark.parametrize("seed", range(3))
def test_cech_equals_the_definition(seed: int) -> None:
    """Every simplex enters at the radius of its smallest enclosing ball."""
    import gudhi

    x = np.random.default_rng(seed).normal(size=(9, 3))
    tree = gudhi.SimplexTree()
    for size in (1, 2, 3):
        for part in itertools.combinations(range(9), size):
            tree.insert(list(part), enclosing_radius(x[list(part)]))
    tree.compute_persistence()
    loops = tree.persistence_intervals_in_dimension(1)
    found = CechPersistence().fit_transform(x[None])[0]
    found = found[(found[:, 2] == 1) & (found[:, 1] - found[:, 0] > 1e-9), :2]
    expected = loops[loops[:, 1] - loops[:, 0] > 1e-9]
    assert np.allclose(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)])


def test_cech_of_a_triangle_is_known() -> None:
    triangle = np.array([[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(3) / 2, 0]], dtype=float)[:, :2]
    found = CechPersistence().fit_transform(triangle[None])[0]
    assert np.allclose(found, [[0, 0.5, 0], [0, 0.5, 0], [0.5, 1 / np.sqrt(3), 1]])


@needs_giotto
@pytest.mark.filterwarnings("ignore:Input array X has X.shape")
def test_why_giottos_own_cech_is_not_used() -> None:
    """Should a later giotto-tda agree with the definition, ours can go."""
    from gtda.homology import EuclideanCechPersistence

    x = np.random.default_rng(0).normal(size=(9, 3))
    theirs = EuclideanCechPersistence().fit_transform(x[None])[0]
    longest = np.diff(theirs[theirs[:, 2] == 1, :2], axis=1).max()
    ours = CechPersistence().fit_transform(x[None])[0]
    assert longest > 2 * np.diff(ours[ours[:, 2] == 1, :2], axis=1).max()
