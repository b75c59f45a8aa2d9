"""Peaks from tables whose truth is written down: which are called, and what explains them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import kendalltau

from src.findings import run_findings
from src.findings.curves import read_velocity
from src.findings.peaks import _count_falls, measure_height
from tests.support.tables import bump, table_of


def test_what_falls_only_because_the_gaps_grow_is_explained_by_the_schedule() -> None:
    found = run_findings(table_of(lambda _: 2.0))
    assert not found["peak_ratio", 1].called
    assert found["naive_peak_ratio", 1].called
    assert found["naive_peak_ratio", 1].value > 3
    assert found["peak_explained_by", 1].label == "schedule"
    assert "explained by the schedule" in found["peak_explained_by", 1].sentence


def test_a_peak_of_shape_stays_when_divided() -> None:
    found = run_findings(table_of(bump))
    peak = found["peak_ratio", 1]
    assert peak.called
    assert peak.low > 1
    assert peak.value == pytest.approx(3.09, rel=0.1), "the median of the highest checkpoint and its neighbours"
    assert abs(found["peak_step", 1].value - 90) <= 15
    assert found["peak_explained_by", 1].label == "nothing"
    assert 90 < found["stabilisation_step", 1].value < 170


def test_a_peak_of_movement_is_explained_by_displacement_and_that_of_a_learning_rate_by_it() -> None:
    assert run_findings(table_of(bump, change=bump))["peak_explained_by", 1].label == "displacement"
    both = table_of(bump, change=bump, rate=lambda step: 1e-3 * bump(step))
    assert run_findings(both)["peak_explained_by", 1].label == "learning_rate"
    flat = table_of(bump, change=bump, rate=lambda _: 1e-3)
    assert run_findings(flat)["peak_explained_by", 1].label == "displacement"


def test_neither_a_rise_to_the_end_nor_one_wild_checkpoint_is_a_peak() -> None:
    assert not run_findings(table_of(lambda step: 1 + step / 60))["peak_ratio", 1].called
    assert not run_findings(table_of(lambda step: 5.0 if step == 90 else 1.0))["peak_ratio", 1].called


def test_without_halves_there_are_no_bounds_and_nothing_is_called() -> None:
    found = run_findings(table_of(bump, halves=0))
    assert math.isnan(found["peak_ratio", 1].low)
    assert not found["peak_ratio", 1].called
    assert "no intervals" in found["limits", -1].sentence


def test_step_noise_widens_the_bounds() -> None:
    quiet, wild = (run_findings(table_of(bump, noise=noise))["peak_ratio", 1] for noise in (0.01, 0.3))
    assert wild.high / wild.low > 3 * quiet.high / quiet.low


def test_a_decline_is_called_a_decline_and_no_peak() -> None:
    found = run_findings(table_of(lambda step: 1 + math.exp(-step / 60)))
    assert not found["peak_ratio", 1].called
    decline = found["decline_ratio", 1]
    assert decline.called
    assert decline.low > 1.3
    assert "declines" in decline.sentence
    assert found["peak_explained_by", 1].label == "no_peak"
    level = run_findings(table_of(lambda _: 2.0))["decline_ratio", 1]
    assert not level.called
    assert not level.sentence


def test_a_burst_that_two_neighbouring_checkpoints_see_is_a_peak() -> None:
    found = run_findings(table_of(lambda step: 6.0 if step in (90, 105) else 1.0))
    assert found["peak_ratio", 1].called
    assert found["peak_step", 1].value in (90, 105)


def test_what_rises_and_does_not_fall_or_falls_and_did_not_rise_is_no_peak() -> None:
    """One wild checkpoint at the start, and one late, are a smoothed curve's highest place as well."""
    for course in (lambda step: 3.0 if step <= 1 else 1.0, lambda step: 3.0 if step >= 200 else 1.0):
        found = run_findings(table_of(course))["peak_ratio", 1]
        assert not found.called, found.sentence


def test_a_plateau_that_ends_is_a_decline_wherever_it_is_highest() -> None:
    highest = []
    for seed in range(4):
        found = run_findings(table_of(lambda step: 3.0 if step <= 75 else 1.0, seed=seed))
        highest.append(found["peak_step", 1].value)
        assert not found["peak_ratio", 1].called, found["peak_ratio", 1].sentence
        assert found["decline_ratio", 1].called
    assert max(highest) > 0, "it need not be the first checkpoint"


def test_halves_in_which_nothing_moves_leave_a_peak_without_bounds() -> None:
    table = table_of(bump)
    table.loc[(table["sample"] == 0) & (table.quantity == "velocity"), "value"] = 0.0
    found = run_findings(table)
    for name in ("peak_ratio", "decline_ratio", "early_share"):
        assert math.isnan(found[name, 1].low)
        assert not found[name, 1].called


def test_a_trend_counts_pairs_of_which_the_later_is_lower() -> None:
    falling = np.array([5.0, 4.0, 2.0, 1.0])
    counts = _count_falls(np.array([falling, falling[::-1], [1.0, 1.0, 1.0, 1.0], [4.0, 5.0, 2.0, 2.0]]))
    assert counts.tolist() == [6, -6, 0, 3]
    for seed in range(3):
        values = np.random.default_rng(seed).normal(size=12)
        expected = -kendalltau(range(12), values).statistic * 12 * 11 / 2
        assert _count_falls(values) == pytest.approx(expected)


def test_a_height_is_that_of_the_best_place_between_the_ends() -> None:
    def height(course: Callable[[int], float]) -> float:
        return measure_height(read_velocity(table_of(course, noise=1e-4), 1, "layer_01"))[0]

    assert height(bump) == pytest.approx(3.5, rel=0.15)
    assert height(lambda step: 1.0) == pytest.approx(1, abs=0.01)
    assert height(lambda step: 4 / (1 + step / 60)) < 1
    assert height(lambda step: 1 + step / 60) < 1.2, "it ends above its late median, by half of what it rises there"
