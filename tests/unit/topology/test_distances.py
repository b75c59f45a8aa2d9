"""Distances between points: accurate where a Gram matrix is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from src.topology.distances import median_distance, pairwise_distances

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 300.0])
def test_distances_are_accurate_where_a_gram_matrix_is_not(scale: float) -> None:
    x = RNG.normal(size=(60, 200)).astype(np.float32) * scale
    x[:, 7] += 3000 * scale  # a massive dimension
    x[30:40] = x[20:30] + 1e-5 * scale * RNG.normal(size=(10, 200)).astype(np.float32)  # near-duplicates
    x[50] = x[0]
    exact = np.sqrt(((x[:, None].astype(np.float64) - x[None].astype(np.float64)) ** 2).sum(-1))
    ours = pairwise_distances(x)
    off = ~np.eye(60, dtype=bool) & (exact > 0)
    assert (np.abs(ours - exact)[off] / exact[off]).max() < 1e-6
    assert ours[50, 0] == 0
    assert np.array_equal(ours, ours.T)
    assert not np.diagonal(ours).any()


def test_cosine_is_one_minus_the_cosine() -> None:
    x = RNG.normal(size=(20, 5))
    assert np.allclose(pairwise_distances(x, "cosine"), cdist(x, x, "cosine"), atol=1e-12)


def test_scale_is_the_median_over_pairs() -> None:
    assert median_distance(pairwise_distances(np.array([[0.0], [1.0], [10.0]]))) == 9.0


@given(seed=st.integers(0, 10**6), metric=st.sampled_from(["euclidean", "cosine"]))
@settings(max_examples=60)
def test_distances_keep_six_digits_beside_massive_dimensions_and_near_duplicates(seed: int, metric: str) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 32))
    x[:, :2] *= 10.0 ** rng.integers(0, 5, size=2)
    x[:, 3] += 10.0 ** rng.integers(0, 5)
    x[20:30] = x[:10] + 10.0 ** -rng.integers(1, 9, size=(10, 1)) * rng.normal(size=(10, 32))
    found = pairwise_distances(x, metric)
    points = x / np.linalg.norm(x, axis=1, keepdims=True) if metric == "cosine" else x
    direct = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    direct = direct**2 / 2 if metric == "cosine" else direct
    assert np.allclose(found, direct, rtol=1e-6, atol=0)
