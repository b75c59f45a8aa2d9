"""Geometry against closed forms and against libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import special_ortho_group
from sklearn.metrics.pairwise import cosine_similarity

from src.geometry import describe, intrinsic_dimension
from src.geometry.structure import (
    anisotropy,
    centred_gram,
    dominant_share,
    effective_rank,
    gram_alignment,
    participation_ratio,
)
from src.topology.distances import pairwise_distances

RNG = np.random.default_rng(0)


def spectrum_of(x: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(centred_gram(x))


@pytest.mark.parametrize("k", [1, 3, 7])
def test_k_directions_alike_count_as_k(k: int) -> None:
    x = np.concatenate([np.eye(k, 10), -np.eye(k, 10)]) * 5 + 100
    assert effective_rank(spectrum_of(x)) == pytest.approx(k, rel=1e-6)
    assert participation_ratio(spectrum_of(x)) == pytest.approx(k, rel=1e-6)


def test_the_spectrum_is_that_of_the_covariance() -> None:
    x = RNG.normal(size=(40, 6)) * [6, 5, 4, 3, 2, 1]
    values = np.linalg.eigvalsh(np.cov(x.T))
    assert participation_ratio(spectrum_of(x)) == pytest.approx(values.sum() ** 2 / (values**2).sum())
    shares = np.linalg.svd(x - x.mean(0), compute_uv=False)
    shares /= shares.sum()
    assert effective_rank(spectrum_of(x)) == pytest.approx(math.exp(-(shares * np.log(shares)).sum()))


def test_alignment_is_that_of_the_features() -> None:
    """The definition by features: ||Y'X||^2 / (||X'X|| ||Y'Y||), both centred."""
    x, y = RNG.normal(size=(30, 5)), RNG.normal(size=(30, 8))
    a, b = x - x.mean(0), y - y.mean(0)
    expected = np.linalg.norm(b.T @ a) ** 2 / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b))
    assert gram_alignment(centred_gram(x), centred_gram(y)) == pytest.approx(expected)
    moved = 3 * x @ special_ortho_group.rvs(5, random_state=0) + 7
    assert gram_alignment(centred_gram(x), centred_gram(moved)) == pytest.approx(1)


def test_anisotropy_is_the_mean_cosine() -> None:
    x = RNG.normal(size=(25, 4)) + 1
    cosines = cosine_similarity(x)[np.triu_indices(25, k=1)]
    assert anisotropy(x) == pytest.approx(cosines.mean())
    assert anisotropy(np.concatenate([x, np.zeros((1, 4))])) == pytest.approx(cosines.mean())


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_intrinsic_dimension_of_a_turned_cube_is_its_own(dimension: int) -> None:
    cube = RNG.uniform(size=(1500, dimension)) @ np.linalg.qr(RNG.normal(size=(20, dimension)))[0].T
    assert intrinsic_dimension(pairwise_distances(cube)) == pytest.approx(dimension, rel=0.12)


def test_points_that_coincide_do_not_count_for_the_dimension() -> None:
    x = RNG.normal(size=(200, 3))
    doubled = intrinsic_dimension(pairwise_distances(np.concatenate([x, x[:20]])))
    assert math.isfinite(doubled)
    assert math.isnan(intrinsic_dimension(np.zeros((5, 5))))


def test_all_is_described_and_what_is_not_defined_is_nan() -> None:
    x = RNG.normal(size=(20, 6)).astype(np.float32)
    values = describe(x, x)
    assert values["cka_to_base"] == pytest.approx(1)
    assert values["mean_norm"] == pytest.approx(np.linalg.norm(x, axis=1).mean())
    point = describe(np.ones((20, 6)), x)
    assert {name for name, value in point.items() if math.isnan(value)} == {
        "effective_rank", "participation_ratio", "cka_to_base", "dominant_share",
    }  # fmt: skip


def test_two_wide_coordinates_dominate() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 50))
    assert dominant_share(x) == pytest.approx(2 / 50, rel=0.3)
    x[:, [3, 7]] *= 100
    assert dominant_share(x) > 0.99
    assert math.isnan(dominant_share(np.ones((5, 4))))
    pairs = ((x[:, None] - x[None]) ** 2).sum(axis=(0, 1))
    assert dominant_share(x) == pytest.approx(pairs[[3, 7]].sum() / pairs.sum())
