"""The matching of bars against the whole assignment problem, on diagrams that are hard to match."""

from __future__ import annotations

import numpy as np
import pytest
from gudhi.wasserstein import wasserstein_distance
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from src.topology import diagram_distance
from src.topology.matching import match_bars, match_h0_bars

KINDS = {
    "even": lambda rng, n: np.sort(rng.random((n, 2)), axis=1),
    "short and long": lambda rng, n: spread(rng.random(n), 10.0 ** rng.uniform(-9, 0, n)),
    "many ties": lambda rng, n: spread(rng.integers(0, 4, n), 1.0 + rng.integers(0, 3, n)),
    "one birth": lambda rng, n: spread(np.full(n, 0.3), rng.random(n)),
    "crowded": lambda rng, n: spread(0.001 * rng.random(n), np.exp(rng.normal(-3, 2, n))),
    "far apart": lambda rng, n: spread(100 * rng.random(n), rng.random(n)),
    "tiny": lambda rng, n: 1e-12 * np.sort(rng.normal(size=(n, 2)), axis=1),
}


def spread(births: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    return np.column_stack([births, births + lengths]).astype(np.float64)


def whole_problem(a: np.ndarray, b: np.ndarray, order: float) -> float:
    """The textbook's: every bar may be matched to any other, or to its own place on the diagonal."""
    n, m = len(a), len(b)
    costs = np.zeros((n + m, n + m))
    costs[:n, :m] = np.abs(a[:, None] - b[None]).max(axis=2)
    costs[:n, m:], costs[n:, :m] = (a[:, 1] - a[:, 0])[:, None] / 2, (b[:, 1] - b[:, 0])[None] / 2
    costs = costs**order
    return float(costs[linear_sum_assignment(costs)].sum())


@settings(max_examples=400, deadline=None)
@given(
    kinds=st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(sorted(KINDS))),
    sizes=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    order=st.sampled_from([1.0, 1.0, 2.0, 3.5]), moved=st.sampled_from([None, 0.0, 1e-9, 1e-3, 0.1]),
    seed=st.integers(0, 2**32),
)  # fmt: skip
def test_the_matching_is_the_cheapest(
    kinds: tuple[str, str], sizes: tuple[int, int], order: float, moved: float | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a, b = (KINDS[kind](rng, size) for kind, size in zip(kinds, sizes, strict=True))
    if moved is not None:  # the two diagrams of a pair
        b = np.sort(rng.permutation(a) + moved * rng.normal(size=a.shape), axis=1)
    rows, columns, cost = match_bars(a, b, order)
    assert len(set(rows)) == len(rows) == len(set(columns)) == len(columns)
    largest = sum(float(((d[:, 1] - d[:, 0]) ** order).sum()) for d in (a, b))
    assert cost == pytest.approx(whole_problem(a, b, order), rel=1e-9, abs=1e-13 * largest)
    assert moved != 0 or cost == 0


def test_h0_bars_have_the_cost_and_the_changes_of_the_general_matching() -> None:
    rng = np.random.default_rng(0)
    for size in (0, 1, 20, 200):
        a, b = (np.sort(rng.random(n) + 1) for n in (size, max(0, size - 3)))
        cost, change = match_h0_bars(a, b, 1.0)
        rows, columns, expected = match_bars(*(np.column_stack([0 * deaths, deaths]) for deaths in (a, b)), 1)
        assert cost == pytest.approx(expected)
        if len(a) == len(b):
            assert change == pytest.approx((b[columns] - a[rows]).sum())
    assert match_h0_bars(np.array([1.0, 2.0]), np.array([1.5, 2.5]), 1.0) == (1.0, 1.0)
    assert match_h0_bars(np.array([1.0, 2.0]), np.array([0.9, 2.2, 9.0]), 1.0)[1] == pytest.approx(0.1)


@given(
    sizes=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    seed=st.integers(0, 10**6),
    order=st.sampled_from([1, 2, 3]),
)
@settings(max_examples=100)
def test_h0_bars_are_matched_as_optimal_transport_does(sizes: tuple[int, int], seed: int, order: int) -> None:
    """Against POT's network simplex, which knows nothing of births at 0."""
    rng = np.random.default_rng(seed)
    bars = [np.column_stack([np.zeros(n), rng.gamma(2, 1, n), np.zeros(n)]) for n in sizes]
    if min(sizes) and seed % 2:
        shared = min(sizes) // 2  # ties
        bars[0][:shared] = bars[1][:shared]
    expected = wasserstein_distance(bars[0][:, :2], bars[1][:, :2], order=order, internal_p=np.inf)
    assert diagram_distance(*bars, 0, order) == pytest.approx(expected, rel=1e-9, abs=1e-9)
