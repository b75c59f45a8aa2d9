"""What has to be excluded for a claim not to hold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src.findings import run_findings
from src.findings.effects import LEAST, excludes, least_recognition
from tests.validity import series


def test_bounds_exclude_an_effect_only_if_they_exist_and_lie_below_it() -> None:
    assert excludes("early", LEAST["early"] - 0.01)
    assert not excludes("early", LEAST["early"] + 0.01)
    assert not excludes("early", math.nan)


def test_recognition_matters_from_half_way_between_chance_and_certainty() -> None:
    assert [least_recognition(1 / groups) for groups in (2, 4)] == pytest.approx([0.75, 0.625])


def test_a_planted_peak_is_never_denied_and_its_absence_mostly_is() -> None:
    """Eight series of each kind that scatter by 20 % and are alike from step to step."""
    schedule = series.plan("dense_early")
    shares = np.arange(max(schedule.captured) + 1) / max(schedule.checkpoints)
    denied = {}
    for fold in (1.0, 2.0):
        level = 1 + (fold - 1) * np.exp(-(((shares - 0.3) / 0.1) ** 2))
        tables = [series.velocity_table(np.random.default_rng(n), schedule, level, series.LOUD) for n in range(8)]
        denied[fold] = sum(excludes("peak", run_findings(table)["peak_height", 1].high) for table in tables)
    assert denied[2.0] == 0
    assert denied[1.0] >= 5
