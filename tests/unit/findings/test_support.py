"""What one run says for or against a claim."""

from __future__ import annotations

import math

import pytest

from src.findings import Evidence, run_findings
from src.findings.finding import Finding
from src.findings.support import find_early, find_support
from tests.support.tables import bump, table_of


def test_the_early_excess_is_judged_against_the_late_one_and_not_against_one() -> None:
    raised = {("excess_early", 1): Finding(2.0, 1.8, 2.2, True), ("excess_late", 1): Finding(2.0, 1.8, 2.2, True)}
    alike = find_early(raised, 1)
    assert alike
    assert alike.value == pytest.approx(1)
    assert not alike.called
    found = find_early(raised | {("excess_late", 1): Finding(1.0, 0.9, 1.1)}, 1)
    assert found
    assert found.called
    assert found.low == pytest.approx(2 * math.exp(-math.hypot(math.log(2.2 / 1.8) / 2, math.log(1.1 / 0.9) / 2)))


def test_a_finding_of_the_change_goes_before_its_parts_and_less_early_is_no_early_reorganisation() -> None:
    parts = {("excess_early", 1): Finding(2.0, 1.8, 2.2, True), ("excess_late", 1): Finding(1.0, 0.9, 1.1)}
    found = find_early(parts | {("excess_change", 1): Finding(0.5, 0.4, 0.6, True)}, 1)
    assert found == Finding(0.5, 0.4, 0.6, False)
    assert find_early({}, 1) is None


def test_a_run_that_cannot_tell_says_what_it_lacks() -> None:
    short = table_of(bump, steps=[0, 60, 90, 120])
    none = table_of(bump, halves=0)
    for table, lacks in ((short, "6 checkpoints with pairs (4 found)"), (none, "intervals (tda.subsamples)")):
        assert find_support("peak", Evidence(run_findings(table), table), 1) == lacks
    whole = table_of(bump)
    evidence = Evidence(run_findings(whole), whole)
    peak = find_support("peak", evidence, 1)
    assert isinstance(peak, Finding)
    assert peak.called
    assert "tda.null_draws" in str(find_support("early", evidence, 1))
    assert "step 0" in str(find_support("changed", evidence, -1))
