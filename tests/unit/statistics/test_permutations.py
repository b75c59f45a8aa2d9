"""Arrangements: each once where they are few, and the smallest p that they allow."""

from __future__ import annotations

import numpy as np
import pytest

from src.statistics.permanova import permanova
from src.statistics.permutations import count_arrangements, flip_signs, pairs_needed, permutations, seeds_needed


def test_every_distinct_arrangement_is_gone_through_once_where_they_are_few() -> None:
    for labels in ([0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1]):
        permuted = permutations(np.array(labels))
        sizes = np.bincount(labels)
        parts = {frozenset(frozenset(np.flatnonzero(row == group)) for group in range(len(sizes))) for row in permuted}
        assert len(parts) == len(permuted) == count_arrangements(sizes.tolist())
        assert all((np.bincount(row) == sizes).all() for row in permuted)
    assert [count_arrangements(sizes) for sizes in ([3, 3, 3], [3, 3], [5, 5], [2, 4])] == [280, 10, 126, 15]
    assert permutations(np.repeat([0, 1], 10)).shape == (10_000, 20), "9,999 random ones and the observed"


def test_what_p_is_the_smallest_depends_on_seeds_and_pairs() -> None:
    apart = np.repeat([0.0, 10.0, 20.0], 3)[:, None] + np.random.default_rng(0).normal(size=(9, 4))
    assert permanova(apart, np.repeat(np.arange(3), 3)).p == pytest.approx(1 / 280)
    assert (seeds_needed(2), seeds_needed(2, 0.01), seeds_needed(3), seeds_needed(4)) == (4, 5, 3, 2)
    assert pairs_needed() == 6
    assert flip_signs(6).shape == (64, 6)
    assert len(np.unique(flip_signs(6), axis=0)) == 64
    assert flip_signs(14).shape == (10_000, 14)
