"""Arrangements: each once where they are few, and the smallest p that they allow."""

from __future__ import annotations

import numpy as np
import pytest

from src.statistics.permanova import permanova
from src.statistics.permutations import (
    count_arrangements,
    count_members,
    flip_signs,
    pairs_needed,
    permutations,
    runs_needed,
    seeds_needed,
)

FREE = {
    (0, 0, 1, 1, 2, 2): 15,
    (0, 1, 1, 1, 2, 2): 60,
    (0, 0, 0, 1, 1, 1): 10,
}  # fmt: skip
WITHIN = {
    ((0, 1, 2, 0, 1, 2, 0, 1, 2), (0, 0, 0, 1, 1, 1, 2, 2, 2)): 36,
    ((0, 0, 0, 1, 1, 1), (0, 1, 2, 0, 1, 2)): 4,
    ((0, 1, 0, 1, 2, 2), (0, 0, 1, 1, 0, 1)): 6,
    ((0, 1, 1, 0, 1, 1), (0, 0, 0, 1, 1, 1)): 9,
    ((0, 1, 0, 1, 1), (0, 0, 1, 1, 1)): 6,
}


@pytest.mark.parametrize(
    ("labels", "blocks", "ways"),
    [*((labels, (0,) * len(labels), ways) for labels, ways in FREE.items()), *((*key, n) for key, n in WITHIN.items())],
)
def test_every_distinct_arrangement_is_gone_through_once_where_they_are_few(
    labels: tuple[int, ...], blocks: tuple[int, ...], ways: int
) -> None:
    given, places = np.array(labels), np.array(blocks)
    counts = count_members(given, places)
    permuted = permutations(given, places)
    parts = {frozenset(frozenset(np.flatnonzero(row == group)) for group in set(labels)) for row in permuted}
    assert len(parts) == len(permuted) == count_arrangements(counts) == ways
    assert all((count_members(row, places) == counts).all() for row in permuted)
    assert frozenset(frozenset(np.flatnonzero(given == group)) for group in set(labels)) in parts


def test_of_many_arrangements_the_observed_and_random_ones_are_gone_through() -> None:
    labels, seeds = np.tile([0, 1], 15), np.repeat(np.arange(15), 2)[::-1]
    for blocks in (seeds, np.zeros_like(seeds)):
        permuted = permutations(labels, blocks)
        assert permuted.shape == (10_000, 30)
        assert (permuted[0] == labels).all()
        assert all((count_members(row, blocks) == count_members(labels, blocks)).all() for row in permuted)
        np.testing.assert_allclose(permuted[1:].mean(axis=0), 0.5, atol=0.03)


def test_what_p_is_the_smallest_depends_on_seeds_and_pairs() -> None:
    labels, seeds = np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3)
    apart = 10.0 * labels[:, None] + np.random.default_rng(0).normal(size=(9, 4))
    assert permanova(apart, labels, np.zeros(9, dtype=int)).p == pytest.approx(1 / 280)
    assert permanova(apart, labels, seeds).p == pytest.approx(1 / 36)
    assert [seeds_needed(groups) for groups in (2, 3, 4)] == [6, 3, 2]
    assert [seeds_needed(groups, 0.01) for groups in (2, 3, 4)] == [8, 4, 3]
    assert [runs_needed(groups) for groups in (2, 3, 4)] == [4, 3, 2]
    assert runs_needed(2, 0.01) == 5
    assert pairs_needed() == 6
    assert flip_signs(6).shape == (64, 6)
    assert len(np.unique(flip_signs(6), axis=0)) == 64
    assert flip_signs(14).shape == (10_000, 14)
