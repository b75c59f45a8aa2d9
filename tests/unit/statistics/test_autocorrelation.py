"""How alike neighbouring values are: against series whose coefficient is known."""

from __future__ import annotations

import numpy as np
import pytest

from src.statistics.autocorrelation import COEFFICIENTS, correlate, draw_series, weigh_coefficients


def autoregression(coefficient: float, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = [rng.normal()]
    for _ in range(count - 1):
        values.append(coefficient * values[-1] + np.sqrt(1 - coefficient**2) * rng.normal())
    return np.array(values)


def only(coefficient: float) -> np.ndarray:
    return np.asarray(np.isclose(COEFFICIENTS, coefficient).astype(float))


def test_correlations_are_powers_of_the_coefficient() -> None:
    steps = np.array([0, 1, 4])
    np.testing.assert_allclose(correlate(steps, 0.5), [[1, 0.5, 1 / 16], [0.5, 1, 1 / 8], [1 / 16, 1 / 8, 1]])
    np.testing.assert_array_equal(correlate(steps, 0.0), np.eye(3))


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.8])
def test_the_coefficient_of_long_runs_is_found_whatever_their_means_and_scale(coefficient: float) -> None:
    runs = [(np.arange(n, n + 120), autoregression(coefficient, 120, n)) for n in range(3)]
    weights = weigh_coefficients(runs)
    assert weights.sum() == pytest.approx(1)
    assert float(weights @ COEFFICIENTS) == pytest.approx(coefficient, abs=0.12)
    moved = [(steps, 7 * values + 100 * n) for n, (steps, values) in enumerate(runs)]
    np.testing.assert_allclose(weigh_coefficients(moved), weights, atol=1e-6)


def test_short_runs_do_not_exclude_the_truth() -> None:
    """Eight values about their own mean look less alike than they are: the plain estimate is 0.4 too low."""
    kept, found = [], []
    for seed in range(40):
        series = autoregression(0.8, 240, seed)
        weights = weigh_coefficients([(np.arange(s, s + 8), series[s : s + 8]) for s in (36, 116, 196)])
        found.append(weights @ COEFFICIENTS)
        kept.append(0.025 < weights[COEFFICIENTS > 0.8].sum() < 0.975)
    assert np.mean(kept) >= 0.85, "nominally 95 %"
    assert np.mean(found) > 0.6


def test_without_a_run_the_prior_stands() -> None:
    prior = weigh_coefficients([])
    np.testing.assert_allclose(prior * np.sqrt(1 - COEFFICIENTS**2), prior[0])
    np.testing.assert_array_equal(weigh_coefficients([(np.arange(1), np.ones(1))]), prior)
    np.testing.assert_array_equal(weigh_coefficients([(np.arange(8), np.ones(8))]), prior)


def test_drawn_series_have_the_correlations_of_means_over_their_steps() -> None:
    members = [np.array([0, 1]), np.array([1, 2]), np.array([10])]
    drawn = draw_series(members, only(0.8), 20_000)
    a, far = 0.8, 0.5 * (0.8**9 + 0.8**8)
    expected = [[(1 + a) / 2, (a + a + 1 + a**2) / 4, 0.5 * (a**10 + a**9)],
                [(a + a + 1 + a**2) / 4, (1 + a) / 2, far], [0.5 * (a**10 + a**9), far, 1]]  # fmt: skip
    np.testing.assert_allclose(np.cov(drawn.T), expected, atol=0.03)
    np.testing.assert_array_equal(drawn, draw_series(members, only(0.8), 20_000))
