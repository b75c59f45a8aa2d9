"""Bounds from random halves, and what one more draw would give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from src.statistics.intervals import interval, prediction_interval, prediction_p

HALVES = np.array([0.9, 1.0, 1.1, 1.3])


def test_the_bounds_are_a_factor_from_the_spread_of_the_logarithms() -> None:
    factor = math.exp(stats.t.ppf(0.975, 3) * np.log(HALVES).std(ddof=1))
    assert interval(274.0, 143 * HALVES) == pytest.approx((274 / factor, 274 * factor)), "halves have other sums"


def test_shares_stay_between_0_and_1_and_signed_numbers_may_cross_0() -> None:
    low, high = interval(0.98, np.array([0.97, 0.99, 0.9]), "logit")
    assert 0 < low < 0.98 < high < 1
    low, high = interval(0.1, np.array([-0.5, 0.2, 0.6]), "plain")
    assert low < 0 < high


def test_more_error_is_added_in_squares() -> None:
    half_width = math.log(interval(1.0, HALVES)[1])
    assert math.log(interval(1.0, HALVES, extra_half_width=half_width)[1]) == pytest.approx(math.sqrt(2) * half_width)


@pytest.mark.parametrize("halves", [[], [1.0], [1.0, 0.0], [1.0, math.nan]])
def test_what_cannot_be_bounded_is_nan(halves: list[float]) -> None:
    assert all(math.isnan(bound) for bound in interval(1.0, np.array(halves)))


def test_p_is_five_percent_at_the_edge_of_the_band() -> None:
    draws = np.random.default_rng(0).lognormal(sigma=0.1, size=20)
    low, high = prediction_interval(draws)
    assert prediction_p(low, draws) == pytest.approx(0.05)
    assert prediction_p(high, draws) == pytest.approx(0.05)
    assert prediction_p(float(np.exp(np.log(draws).mean())), draws) == pytest.approx(1)


def test_p_is_uniform_for_one_more_draw() -> None:
    rng = np.random.default_rng(1)
    drawn = [rng.lognormal(sigma=0.3, size=21) for _ in range(2000)]
    assert stats.kstest([prediction_p(d[0], d[1:]) for d in drawn], "uniform").pvalue > 0.01


def test_draws_that_are_all_alike_leave_no_doubt() -> None:
    assert prediction_p(1.0, np.ones(5)) == 1
    assert prediction_p(1.1, np.ones(5)) == 0
