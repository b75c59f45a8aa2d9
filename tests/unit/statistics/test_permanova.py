"""Distances between groups against the analysis of variance."""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import pytest
from scipy.stats import f_oneway, ttest_rel

from src.statistics.permanova import permanova, permdisp


@pytest.mark.parametrize("sizes", [[3, 3, 3], [4, 6]])
def test_in_one_dimension_permanova_is_the_analysis_of_variance_and_permdisp_levenes_test(sizes: list[int]) -> None:
    x = np.random.default_rng(1).normal(size=sum(sizes))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    parts = [x[labels == group] for group in range(len(sizes))]
    free = np.zeros_like(labels)
    found = permanova(x[:, None], labels, free)
    assert found.f == pytest.approx(f_oneway(*parts).statistic)
    assert found.r2 == pytest.approx(1 - sum(part.var() * len(part) for part in parts) / (x.var() * len(x)))
    far = [np.abs(part - part.mean()) * math.sqrt(len(part) / (len(part) - 1)) for part in parts]
    assert permdisp(x[:, None], labels, free).f == pytest.approx(f_oneway(*far).statistic)


def test_the_pseudo_f_of_many_dimensions_is_that_of_the_summed_squares() -> None:
    x = np.random.default_rng(2).normal(size=(8, 5))
    between = 4 * sum(((x[part].mean(axis=0) - x.mean(axis=0)) ** 2).sum() for part in (slice(4), slice(4, 8)))
    whole = ((x - x.mean(axis=0)) ** 2).sum()
    assert permanova(x, np.repeat([0, 1], 4), np.zeros(8, dtype=int)).f == pytest.approx(
        between / ((whole - between) / 6)
    )


def residuals(x: np.ndarray, *factors: np.ndarray) -> float:
    """Sum of squares that the factors leave, by least squares."""
    dummies = np.hstack([np.eye(factor.max() + 1)[factor] for factor in factors])
    return float(((x - dummies @ np.linalg.lstsq(dummies, x, rcond=None)[0]) ** 2).sum())


def test_within_blocks_it_is_the_two_way_analysis_of_variance_and_its_p_that_of_all_orders_within_blocks() -> None:
    rng = np.random.default_rng(4)
    labels, blocks = np.tile(np.arange(3), 4), np.repeat(np.arange(4), 3)
    x = 5 * rng.normal(size=(4, 6))[blocks] + 0.7 * labels[:, None] + rng.normal(size=(12, 6))
    found = permanova(x, labels, blocks)
    alone, both = residuals(x, blocks), residuals(x, blocks, labels)
    assert found.f == pytest.approx((alone - both) / 2 / (both / 6))
    assert found.r2 == pytest.approx(1 - both / alone)
    orders = [np.concatenate(rows) for rows in product(permutations(range(3)), repeat=4)]
    as_extreme = [residuals(x, blocks, order) <= both * (1 + 1e-9) for order in orders]
    assert len(orders) == 6 * found.arrangements
    assert found.p == pytest.approx(np.mean(as_extreme))
    assert found.r2_expected == pytest.approx(np.mean([1 - residuals(x, blocks, order) / alone for order in orders]))


def test_what_a_block_has_in_common_changes_nothing_within_blocks() -> None:
    rng = np.random.default_rng(5)
    x, labels, blocks = rng.normal(size=(12, 3)), np.tile([0, 1], 6), np.repeat(np.arange(6), 2)
    plain = permanova(x, labels, blocks)
    shifted = permanova(x + 1e3 * rng.normal(size=(6, 3))[blocks], labels, blocks)
    assert (shifted.f, shifted.p) == (pytest.approx(plain.f), plain.p)


def test_two_groups_can_spread_differently_within_blocks() -> None:
    rng = np.random.default_rng(6)
    labels, blocks = np.tile([0, 1], 6), np.repeat(np.arange(6), 2)
    x = rng.normal(size=(12, 8)) * np.where(labels == 0, 1, 8)[:, None]
    found = permdisp(x, labels, blocks)
    assert found.p == pytest.approx(1 / 32)
    far = [np.linalg.norm(x[labels == g] - x[labels == g].mean(axis=0), axis=1) * math.sqrt(6 / 5) for g in (0, 1)]
    assert found.f == pytest.approx(ttest_rel(*far).statistic ** 2), "two groups in blocks are pairs"
