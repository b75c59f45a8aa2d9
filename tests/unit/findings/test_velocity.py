"""The course of a velocity from tables whose truth is written down."""

from __future__ import annotations

import pytest

from src.findings import run_findings
from tests.support.tables import table_of


def test_a_constant_velocity_has_no_course() -> None:
    found = run_findings(table_of(lambda _: 2.0, noise=0.0))
    assert found["early_share", 1].value == pytest.approx(0.1)
    assert found["half_life", 1].value == pytest.approx(0.5)
    assert found["peak_ratio", 1].value == 1
    assert found["peak_step", 1].value == 0, "ties: the earliest"
    assert found["stabilisation_step", 1].value == 0
    assert not found["peak_ratio", 1].called
    assert not found["early_share", 1].called
