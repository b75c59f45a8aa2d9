"""Curves as they are read from a table, divided and smoothed."""

from __future__ import annotations

import numpy as np
import pytest

from src.findings.curves import read_curve, read_pair_rate, read_velocity, smooth
from src.metrics.table import Row, tabulate
from tests.support.tables import STEPS


def test_a_velocity_is_divided_by_the_rate_that_its_own_pairs_moved_by() -> None:
    """In warm-up the rate of a checkpoint's second pair is twice that of its first."""

    def rate(step: int) -> float:
        return min((step + 1) / 20, (240 - step) / 220)

    rows = [Row(step, "learning_rate", rate(step)) for step in range(240)]
    for step in STEPS:
        pairs = [3 * rate(step + n) for n in range(2)]
        rows += [Row(step, "velocity", v, "layer_01", 1, step + n + 1) for n, v in enumerate(pairs)]
        rows.append(Row(step, "velocity", sum(pairs) / 2, "layer_01", 1))
    table = tabulate(rows)
    moved_by = read_pair_rate(table, 1, "layer_01")
    assert moved_by is not None
    divided = read_velocity(table, 1, "layer_01").divide(moved_by)
    assert divided.values == pytest.approx([3.0] * len(STEPS))
    assert np.concatenate([values for _, values in divided.runs]) == pytest.approx(3.0)
    assert read_pair_rate(table[table.quantity == "velocity"], 1, "layer_01") is None


def test_pairs_that_checkpoints_share_count_once_and_windows_join_them() -> None:
    """At steps 0, 1, 2 the second pair of one is the first of the next: the same number three times is no evidence."""
    rows = [Row(s, "velocity", 1.0 * s, "layer_01", 1) for s in (0, 1, 9)]
    rows += [Row(0, "velocity", 1.0, "layer_01", 1, 1), Row(0, "velocity", 2.0, "layer_01", 1, 2)]
    rows += [Row(1, "velocity", 2.0, "layer_01", 1, 2), Row(1, "velocity", 5.0, "layer_01", 1, 3)]
    rows += [Row(9, "velocity", 7.0, "layer_01", 1, 10)]
    rows += [Row(9, "window/velocity", 7.0, "layer_01", 1, 10), Row(9, "window/velocity", 8.0, "layer_01", 1, 11)]
    curve = read_curve(tabulate(rows), "velocity", 1, "layer_01")
    (first, ones), (second, others) = curve.runs
    assert first.tolist() == [0, 1, 2]
    assert ones.tolist() == [1, 2, 5]
    assert second.tolist() == [9, 10]
    assert others.tolist() == [7, 8]
    assert [each.tolist() for each in curve.members] == [[0, 1], [1, 2], [9]]


def test_the_running_median_is_of_two_at_the_ends() -> None:
    np.testing.assert_array_equal(smooth(np.array([1.0, 5, 2, 3])), [3, 2, 3, 2.5])


def test_a_curve_is_read_in_the_order_of_its_steps_whatever_that_of_the_rows() -> None:
    rows = [Row(step, "velocity", float(step), "layer_01", 1) for step in (10, 0, 5)]
    rows += [Row(step, "velocity", step / 10 + n, "layer_01", 1, sample=n) for n in range(3) for step in (5, 0, 10)]
    rows = [
        row for row in rows if (row.step, row.quantity, row.sample) != (5, "velocity", 1)
    ]  # this half lacks a checkpoint
    rows += [Row(0, "velocity", value, "layer_01", 1, end) for end, value in ((4, 2.0), (2, 1.0))]
    rows += [Row(0, "window/velocity", value, "layer_01", 1, end) for end, value in ((6, 3.0), (4, 9.0), (10, 5.0))]
    curve = read_curve(tabulate(rows), "velocity", 1, "layer_01")
    assert (curve.steps.tolist(), curve.values.tolist()) == ([0, 5, 10], [0.0, 5.0, 10.0])
    assert curve.halves.tolist() == [[0.0, 0.5, 1.0], [2.0, 2.5, 3.0]]
    assert [starts.tolist() for starts in curve.members] == [[0, 2], [5], [10]]
    assert [(starts.tolist(), values.tolist()) for starts, values in curve.runs] == [
        ([0, 2, 4], [1.0, 2.0, 3.0]), ([8], [5.0]),
    ]  # fmt: skip
    assert len(read_curve(tabulate(rows), "drift", 1, "layer_01")) == 0
