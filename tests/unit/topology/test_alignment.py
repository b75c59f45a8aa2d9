"""H0 bars are matched by aligning them."""

from __future__ import annotations

import numpy as np
import pytest
from gudhi.wasserstein import wasserstein_distance
from hypothesis import given, settings
from hypothesis import strategies as st

from src.topology import diagram_distance


@given(
    sizes=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    seed=st.integers(0, 10**6),
    order=st.sampled_from([1, 2, 3]),
)
@settings(max_examples=100)
def test_the_alignment_of_h0_bars_is_the_general_matching(sizes: tuple[int, int], seed: int, order: int) -> None:
    """Against POT's network simplex, which knows nothing of births at 0."""
    rng = np.random.default_rng(seed)
    bars = [np.column_stack([np.zeros(n), rng.gamma(2, 1, n), np.zeros(n)]) for n in sizes]
    if min(sizes) and seed % 2:
        shared = min(sizes) // 2  # ties
        bars[0][:shared] = bars[1][:shared]
    expected = wasserstein_distance(bars[0][:, :2], bars[1][:, :2], order=order, internal_p=np.inf)
    assert diagram_distance(*bars, 0, order) == pytest.approx(expected, rel=1e-9, abs=1e-9)
