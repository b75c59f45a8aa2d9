"""One checkpoint's pipeline on planted clouds, in this process and in workers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import spatial

from src.geometry import (
    coordinates,
    displacement,
    distance_change,
    joint_coordinates,
    nonrigid_movement,
    procrustes,
    project_to_row_space,
    random_rigid_fraction,
    rigid_fraction,
)
from src.topology.distances import median_distance, pairwise_distances

SIZES = ((40, 8), (40, 40), (30, 200))


def pair(points: int, width: int, seed: int = 0, size: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(points, width)) + 5
    return x, x + size * rng.normal(size=x.shape)


def squared(x: np.ndarray, y: np.ndarray) -> float:
    return float(((y - x) ** 2).sum())


@pytest.mark.parametrize(("points", "width"), SIZES)
def test_coordinates_keep_every_inner_product(points: int, width: int) -> None:
    x, _ = pair(points, width)
    turned = coordinates(x)
    assert turned.shape == (points, min(points, width))
    np.testing.assert_allclose(turned @ turned.T, x @ x.T, rtol=1e-10)


@pytest.mark.parametrize(("points", "width"), SIZES)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.2, 5))
def test_a_similarity_transform_is_wholly_rigid(points: int, width: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(points, width))
    rotation, _ = np.linalg.qr(rng.normal(size=(width, width)))
    moved = scale * x @ rotation + rng.normal(size=width)
    assert rigid_fraction(coordinates(x), coordinates(moved), squared(x, moved)) == pytest.approx(1, abs=1e-9)
    assert np.abs(procrustes(coordinates(x), coordinates(moved))).max() < 1e-9


@pytest.mark.parametrize(("points", "width"), SIZES)
def test_the_share_is_that_of_scipys_procrustes(points: int, width: int) -> None:
    x, moved = pair(points, width)
    # Its disparity is the squared residual after both were centred and brought to size 1.
    disparity = spatial.procrustes(x, moved)[2]
    expected = 1 - disparity * ((moved - moved.mean(0)) ** 2).sum() / squared(x, moved)
    base, target = coordinates(x), coordinates(moved)
    assert rigid_fraction(base, target, squared(x, moved)) == pytest.approx(expected, abs=1e-7)
    # The residual is in the units of `x`; its own scale brings it back to those of the movement.
    centred, centred_target = base - base.mean(axis=0), target - target.mean(axis=0)
    scale = np.linalg.svd(centred.T @ centred_target, compute_uv=False).sum() / (centred**2).sum()
    left = ((scale * procrustes(base, target)) ** 2).sum()
    assert 1 - left / squared(x, moved) == pytest.approx(expected, abs=1e-7)


def test_a_movement_without_rigid_part_is_its_own_residual() -> None:
    """A saddle: as much out along one axis as in along the other, no turn, no shift, no change of size."""
    x = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    moved = x * [1.01, 0.99]
    assert rigid_fraction(x, moved, squared(x, moved)) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(procrustes(x, moved), moved - x, atol=1e-12)


@pytest.mark.parametrize(("points", "width"), [(60, 20), (60, 200)])
@pytest.mark.parametrize("uneven", [False, True])
def test_the_closed_form_is_the_mean_over_random_movements(points: int, width: int, uneven: bool) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(points, width)) * np.arange(1, width + 1) ** -0.5
    lengths = rng.lognormal(size=points) if uneven else np.ones(points)
    drawn = []
    for _ in range(60):
        ways = rng.normal(size=x.shape)
        moved = x + 1e-4 * ways * (lengths / np.linalg.norm(ways, axis=1))[:, None]
        drawn.append(rigid_fraction(coordinates(x), coordinates(moved), squared(x, moved)))
    error = np.std(drawn) / math.sqrt(len(drawn))
    assert abs(random_rigid_fraction(coordinates(x), lengths, width) - np.mean(drawn)) < 4 * error


def test_pure_noise_in_many_dimensions_is_mostly_rigid() -> None:
    x = np.random.default_rng(0).normal(size=(256, 1024))
    assert random_rigid_fraction(coordinates(x), np.ones(256), 1024) == pytest.approx(0.88, abs=0.01)


@pytest.mark.parametrize(("points", "width"), [(40, 6), (40, 60), (30, 400)])
def test_joint_coordinates_keep_every_inner_product(points: int, width: int) -> None:
    x, moved = pair(points, width)
    base, there = joint_coordinates(x, moved)
    padded = np.pad(base, ((0, 0), (0, there.shape[1] - base.shape[1])))
    assert base.shape == (points, min(points, width))
    assert there.shape == (points, min(2 * points, width))
    for a, b, ours, theirs in ((x, x, padded, padded), (x, moved, padded, there), (moved, moved, there, there)):
        np.testing.assert_allclose(ours @ theirs.T, a @ b.T, atol=1e-9)


def test_in_the_row_space_of_a_movement_every_product_with_it_is_kept() -> None:
    rng = np.random.default_rng(1)
    movement, x, mix = rng.normal(size=(12, 30)), rng.normal(size=(12, 30)), rng.normal(size=(12, 12))
    narrow, seen = project_to_row_space(movement, x)
    assert narrow.shape == seen.shape == (12, 12)
    np.testing.assert_allclose(narrow @ narrow.T, movement @ movement.T, atol=1e-9)
    np.testing.assert_allclose((mix @ narrow) @ seen.T, (mix @ movement) @ x.T, atol=1e-9)


@pytest.mark.parametrize(("points", "width"), [(80, 20), (80, 640)])
def test_of_pure_noise_everything_is_random_and_of_a_rotation_what_noise_has(points: int, width: int) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(points, width))
    noise = 0.01 * rng.normal(size=x.shape)
    skew = rng.normal(size=(width, width)) / np.sqrt(width)
    turned = x @ np.linalg.matrix_power(np.eye(width) + 0.1 * (skew - skew.T) / 64, 64)
    turned *= np.linalg.norm(x) / np.linalg.norm(turned)

    def parts(moved: np.ndarray) -> tuple[float, float]:
        """Squared size of what is taken for random, and of the whole movement."""
        part = nonrigid_movement(*joint_coordinates(x, moved), width)
        whole = (moved - moved.mean(0)) - (x - x.mean(0))
        return float((part**2).sum()), float((whole**2).sum())

    part, whole = parts(x + noise)
    assert part == pytest.approx(whole, rel=0.05)
    part, together = parts(turned + noise)
    assert together > 3 * whole, "the rotation is planted"
    assert part == pytest.approx(whole, rel=0.25)


def test_what_is_in_one_place_has_no_share() -> None:
    x, moved = pair(10, 3)
    point = np.ones_like(x)
    for before, after in ((point, moved), (x, point)):
        assert not procrustes(before, after).any()
    assert math.isnan(rigid_fraction(point, moved, squared(point, moved)))
    assert rigid_fraction(x, point, squared(x, point)) >= 0
    assert math.isnan(rigid_fraction(x, x, 0.0)), "nothing moved"


def test_the_distance_change_of_one_pair_of_points() -> None:
    before = np.array([[0.0, 3, 4], [3, 0, 5], [4, 5, 0]])
    after = before.copy()
    after[0, 1] = after[1, 0] = 4
    assert distance_change(before, after) == pytest.approx(math.sqrt(2 / 100))
    x, moved = pair(20, 5)
    shapes = [d / median_distance(d) for d in (pairwise_distances(x), pairwise_distances(3 * moved))]
    same = [d / median_distance(d) for d in (pairwise_distances(x), pairwise_distances(moved))]
    assert distance_change(*shapes) == pytest.approx(distance_change(*same)), "blind to size"


def test_displacement_is_relative_and_per_step() -> None:
    x, _ = pair(40, 8)
    assert math.isclose(displacement(x, 1.5 * x, lag=5), 0.1, rel_tol=1e-6)
    assert math.isnan(displacement(np.zeros((3, 2)), np.ones((3, 2)), lag=1))
