"""The paired permutation test: its level where nothing changed, and what it sees."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from src.statistics.paired import paired_energy_p


def p_of(before: np.ndarray, after: np.ndarray) -> float:
    return paired_energy_p(squareform(pdist(np.vstack([before, after]))))


def energy(x: np.ndarray, y: np.ndarray) -> float:
    """The energy distance, from its definition."""

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.linalg.norm(a[:, None] - b[None], axis=-1).mean())

    return 2 * mean(x, y) - mean(x, x) - mean(y, y)


def test_of_few_points_it_is_the_share_of_all_swaps_within_pairs() -> None:
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.5):
        x = rng.normal(size=(7, 3))
        y = x + shift + 0.3 * rng.normal(size=x.shape)
        swapped = [np.array(swap)[:, None] for swap in product((False, True), repeat=7)]
        energies = [energy(np.where(swap, y, x), np.where(swap, x, y)) for swap in swapped]
        assert p_of(x, y) == pytest.approx(np.mean(np.array(energies) >= energies[0] - 1e-12))


def test_two_readings_of_the_same_points_differ_at_the_level() -> None:
    rng = np.random.default_rng(1)
    ps = []
    for _ in range(300):
        x = rng.normal(size=(10, 4)) * [10, 1, 1, 1]
        scatter = rng.lognormal(size=(10, 1))  # errors of some points are larger
        ps.append(p_of(*(x + 0.01 * scatter * rng.standard_t(3, size=x.shape) for _ in range(2))))
    assert np.mean(np.array(ps) < 0.05) < 0.09
    assert 0.4 < np.mean(ps) < 0.6


def test_small_changes_are_seen_in_pairs_though_points_differ_a_thousand_times_as_much() -> None:
    rng = np.random.default_rng(2)
    labels = np.arange(64) // 8
    x = 3 * rng.normal(size=(8, 16))[labels] + rng.normal(size=(64, 16))
    middles = np.stack([x[labels == label].mean(axis=0) for label in range(8)])[labels]
    for way in (np.ones_like(x), middles - x, x - x.mean(axis=0)):
        noise = 1e-4 * rng.normal(size=x.shape)
        assert p_of(x, x + 1e-3 * way + noise) < 0.001


def test_what_did_not_move_did_not_change() -> None:
    x = np.random.default_rng(3).normal(size=(40, 5))
    assert p_of(x, x) == 1
