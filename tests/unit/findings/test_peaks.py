"""Peaks from tables whose truth is written down: which are called, and what explains them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src.findings import run_findings
from src.findings.peaks import scan
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


def test_the_scan_finds_a_stretch_and_keeps_its_level() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=20)
    values[7:12] += 4
    p, window = scan(values)
    assert p < 0.01
    assert set(range(8, 11)) <= set(window) <= set(range(6, 13))
    rejected = [scan(rng.normal(size=20))[0] < 0.05 for _ in range(200)]
    assert np.mean(rejected) <= 0.09
    assert scan(np.ones(20))[0] == 1
    assert scan(values[:5])[0] == 1, "five values have too few orders"
