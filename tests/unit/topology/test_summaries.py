"""Summaries of a diagram have their closed forms."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from src.topology import summarize


def test_summaries_have_their_closed_forms() -> None:
    diagram = np.array([[0, 1, 0], [0, 1, 0], [0, 2, 0], [3, 4, 1]], dtype=float)
    values = summarize(diagram, 0)
    assert values["n_bars"] == 3
    assert values["total_persistence"] == 4
    assert values["max_persistence"] == 2
    assert math.isclose(values["mean_death"], 4 / 3)
    assert math.isclose(values["entropy"], 1.5)
    assert math.isclose(values["normalized_entropy"], 1.5 / math.log2(3))
    assert values["betti_max"] == 3
    one = summarize(diagram, 1)
    assert one["mean_birth"] == 3
    assert "normalized_entropy" not in one, "log2(1) is no denominator"
    assert summarize(diagram, 2) == {"n_bars": 0, "total_persistence": 0, "betti_max": 0}


def test_bars_that_meet_end_to_end_are_never_alive_at_once() -> None:
    assert summarize(np.array([[0, 1, 1], [1, 2, 1], [2, 3, 1]], dtype=float), 1)["betti_max"] == 1


@given(arrays.arrays(np.float64, (7, 2), elements=st.floats(0, 10)))
@settings(max_examples=50)
def test_summaries_of_any_diagram_are_finite(pairs: np.ndarray) -> None:
    bars = np.sort(pairs, axis=1)
    bars = bars[bars[:, 1] > bars[:, 0]]
    values = summarize(np.column_stack([bars, np.ones(len(bars))]), 1)
    assert all(math.isfinite(value) for value in values.values())
    assert 0 <= values.get("normalized_entropy", 0) <= 1 + 1e-12
