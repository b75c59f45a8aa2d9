"""Random movement: what it keeps of the movement that was seen, and how far it goes."""

from __future__ import annotations

import numpy as np
import pytest

from src.geometry import coordinates, distance_change, joint_coordinates, nonrigid_movement
from src.measure.null import (
    FAMILIES,
    Family,
    ReferenceCloud,
    draw_movement,
    graph_frequencies,
    is_defined,
    squared_distances,
)
from src.topology.distances import median_distance, pairwise_distances

SIZES = ((40, 6), (40, 60), (30, 400))


def seen(points: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A cloud in its coordinates, where it went, and what random draws are made from."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(points, width)) + 2
    moved = x + 0.02 * rng.normal(size=x.shape) * rng.lognormal(size=(points, 1))
    return x, moved, nonrigid_movement(*joint_coordinates(x, moved), width)


def frequencies(x: np.ndarray) -> np.ndarray:
    return graph_frequencies(pairwise_distances(x) ** 2)


@pytest.mark.parametrize(("points", "width"), SIZES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_draw_moves_every_point_as_far_as_it_went(points: int, width: int, family: Family) -> None:
    x, _, part = seen(points, width)
    drawn = draw_movement(part, family, frequencies(x), np.random.default_rng(1))
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), np.linalg.norm(part, axis=1), rtol=1e-5)


def test_independent_draws_stay_in_the_directions_of_the_movement() -> None:
    rng = np.random.default_rng(0)
    x, part = rng.normal(size=(50, 20)), rng.normal(size=(50, 2)) @ rng.normal(size=(2, 20))
    assert np.linalg.matrix_rank(draw_movement(part, "independent", frequencies(x), rng), tol=1e-4) == 2
    part = rng.normal(size=(50, 20)) * np.arange(1, 21) ** -0.5
    drawn = [draw_movement(part, "independent", frequencies(x), rng).astype(np.float64) for _ in range(400)]
    ours, theirs = np.mean([d.T @ d for d in drawn], axis=0), part.T @ part
    # Row lengths are fixed, which evens the directions out a little.
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.98


def test_graph_frequencies_are_an_orthonormal_basis_from_smooth_to_rough() -> None:
    rng = np.random.default_rng(0)
    line = np.sort(rng.uniform(size=(80, 1)), axis=0)
    basis = frequencies(line)
    np.testing.assert_allclose(basis.T @ basis, np.eye(80), atol=1e-5)
    # Along a line a field of low frequency changes its sign seldom, one of high frequency often.
    changes = (np.diff(np.sign(basis), axis=0) != 0).sum(axis=0)
    assert changes[:8].max() < 20 < changes[-20:].min()


def test_a_cloud_whose_points_coincide_has_a_basis() -> None:
    assert np.isfinite(frequencies(np.zeros((12, 3)))).all()
    assert np.isfinite(frequencies(np.repeat(np.eye(3), 10, axis=0))).all()


def smoothness(movement: np.ndarray, near: np.ndarray) -> float:
    """Mean cosine between the movements of each point and of its nearest neighbour."""
    unit = movement / np.linalg.norm(movement, axis=1, keepdims=True)
    return float((unit * unit[near]).sum(axis=1).mean())


def test_smooth_draws_are_as_smooth_as_the_movement_and_independent_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3))
    near = np.argsort(pairwise_distances(x), axis=1)[:, 1]
    part = np.sin(x @ rng.normal(size=(3, 12)))
    observed = smoothness(part - part.mean(axis=0), near)
    basis = frequencies(x)
    smooth, independent = (
        np.mean([smoothness(draw_movement(part, family, basis, rng), near) for _ in range(20)]) for family in FAMILIES
    )
    assert observed > 0.7
    assert smooth > 0.7 * observed
    assert abs(independent) < 0.1


def test_smooth_draws_differ_and_repeat_with_their_seed() -> None:
    x, _, part = seen(40, 6)
    basis = frequencies(x)
    first, again, other = (draw_movement(part, "smooth", basis, np.random.default_rng(n)) for n in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1 * np.abs(first).max()


@pytest.mark.parametrize(("points", "width"), SIZES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("cosine", [False, True])
def test_a_walk_changes_the_distances_by_as_much_as_was_seen(
    points: int, width: int, family: Family, cosine: bool
) -> None:
    x, moved, _ = seen(points, width)
    metric = "cosine" if cosine else "euclidean"
    if cosine:
        x, moved = (cloud / np.linalg.norm(cloud, axis=1, keepdims=True) for cloud in (x, moved))
    base, there = joint_coordinates(x, moved)
    part = nonrigid_movement(base, there, width)
    before, after = (pairwise_distances(cloud, metric) for cloud in (x, moved))
    change = distance_change(before / median_distance(before), after / median_distance(after))
    basis = graph_frequencies(squared_distances(before, cosine=cosine))
    movement = draw_movement(part, family, basis, np.random.default_rng(2))
    walk = ReferenceCloud(before, base, cosine=cosine).perturb(movement)
    arrived = walk.step_to_change(change)
    assert arrived is not None
    t, distances, scale = arrived
    assert scale == median_distance(distances)
    np.testing.assert_allclose(distances, pairwise_distances(walk.points(t), metric), rtol=1e-4, atol=1e-6)
    found = distance_change(before / median_distance(before), distances / median_distance(distances))
    assert found == pytest.approx(change, rel=2e-3)
    again = walk.step_to_change(change, start=5 * t)
    assert again is not None
    assert again[0] == pytest.approx(t, rel=5e-3), "the answer does not hang on the first guess"


def test_a_movement_that_changes_no_distance_has_no_answer() -> None:
    x, _, _ = seen(20, 6)
    walk = ReferenceCloud(pairwise_distances(x), coordinates(x)).perturb(np.ones((20, 6), dtype=np.float32))
    assert walk.step_to_change(0.01) is None


def test_the_null_is_defined_between_rounding_and_a_tenth() -> None:
    assert [is_defined(change) for change in (0.0, 1e-7, 1e-5, 0.05, 0.1, np.nan)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
