"""Summaries of a diagram have their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from src.topology import summarize
from src.topology.summaries import LENGTHS


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


@given(arrays.arrays(np.float64, (7, 2), elements=st.floats(0, np.inf) | st.sampled_from([0, 5e-324, 1.7e308])))
@settings(max_examples=100)
def test_no_summary_is_ever_nan_or_infinite(pairs: np.ndarray) -> None:
    pairs.sort(axis=1)
    bars = pairs[np.isfinite(pairs[:, 0])]
    values = summarize(np.column_stack([bars, np.ones(len(bars))]), 1)
    assert all(math.isfinite(value) for value in values.values())
    assert 0 <= values.get("normalized_entropy", 0) <= 1 + 1e-12


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_summaries_have_the_unit_of_the_diagram(unit: float) -> None:
    bars = np.array([[0, 1, 0], [0, 2, 0], [0, 4, 0]])
    plain, scaled = summarize(bars, 0), summarize(bars * [unit, unit, 1], 0)
    assert plain.keys() == scaled.keys()
    for name, value in plain.items():
        assert math.isclose(scaled[name] / (unit if name in LENGTHS else 1), value, rel_tol=1e-12)


def test_endless_and_empty_bars_leave_out_what_they_do_not_define() -> None:
    endless = summarize([[0, math.inf, 0], [0, 1, 0]], 0)
    assert endless == {"n_bars": 2, "betti_max": 2, "mean_birth": 0}
    assert "entropy" not in summarize([[1, 1, 0], [2, 2, 0]], 0)
    assert summarize([[-1.7e308, 1.7e308, 0]], 0) == {
        "n_bars": 1, "betti_max": 1, "mean_birth": -1.7e308, "mean_death": 1.7e308,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("diagram", "dimension", "message"),
    [
        ([[0, 1, 0]], -1, "dimension=-1: at least 0"),
        ([[0, 1, 0]], 0.5, "dimension=0.5: not a whole number"),
        ([[0, math.nan, 0]], 0, "diagram: bar 0"),
        ([["0", "1", "0"]], 0, "diagram holds <U1 values"),
        ([0, 1, 0], 0, "diagram has shape"),
    ],
)
def test_what_is_no_diagram_has_no_summary(diagram: list, dimension: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        summarize(diagram, dimension)
