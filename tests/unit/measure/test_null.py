"""Random movement: what it keeps of the movement that was seen, and how far it goes."""

from __future__ import annotations

import numpy as np
import pytest

from src.geometry import coordinates, distance_change, joint_coordinates, nonrigid_movement
from src.measure.null import FAMILIES, Family, ReferenceCloud, draw_movement, is_defined
from src.topology.distances import median_distance, pairwise_distances

SIZES = ((40, 6), (40, 60), (30, 400))


def seen(points: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A cloud in its coordinates, where it went, and what random draws are made from."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(points, width)) + 2
    moved = x + 0.02 * rng.normal(size=x.shape) * rng.lognormal(size=(points, 1))
    return x, moved, nonrigid_movement(*joint_coordinates(x, moved), width)


@pytest.mark.parametrize(("points", "width"), SIZES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_draw_moves_every_point_as_far_as_it_went(points: int, width: int, family: Family) -> None:
    _, _, part = seen(points, width)
    drawn = draw_movement(part, min(points, width), width, family, np.random.default_rng(1))
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), np.linalg.norm(part, axis=1), rtol=1e-5)


def test_matched_draws_stay_in_the_directions_of_the_movement() -> None:
    rng = np.random.default_rng(0)
    part = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 20))
    drawn = draw_movement(part, 20, 20, "matched", rng)
    assert np.linalg.matrix_rank(drawn, tol=1e-4) == 2
    part = rng.normal(size=(50, 20)) * np.arange(1, 21) ** -0.5
    drawn = [draw_movement(part, 20, 20, "matched", rng).astype(np.float64) for _ in range(400)]
    ours, theirs = np.mean([d.T @ d for d in drawn], axis=0), part.T @ part
    # Row lengths are fixed, which evens the directions out a little.
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("width", [6, 60, 400])
def test_isotropic_draws_are_uniform_on_the_sphere_of_all_coordinates(width: int) -> None:
    """The cosine between two of them has mean 0 and variance 1 / D, whatever coordinates they are given in."""
    span = min(40, width)
    rng = np.random.default_rng(0)
    cosines, inside = [], []
    for _ in range(60):
        drawn = draw_movement(np.ones((40, span)), span, width, "isotropic", rng).astype(np.float64)
        unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        cosines.append((unit @ unit.T)[np.triu_indices(40, 1)])
        inside.append((unit[:, :span] ** 2).sum(axis=1))
    assert np.mean(cosines) == pytest.approx(0, abs=4 / np.sqrt(width * np.size(cosines)))
    assert np.var(cosines) == pytest.approx(1 / width, rel=0.05)
    assert np.mean(inside) == pytest.approx(span / width, rel=0.02)


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
    movement = draw_movement(part, base.shape[1], width, family, np.random.default_rng(2))
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
