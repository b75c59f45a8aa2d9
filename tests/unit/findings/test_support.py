"""What one run says for or against a claim."""

from __future__ import annotations

from src.findings import Evidence, run_findings
from src.findings.finding import Finding
from src.findings.support import find_early, find_support
from tests.support.tables import bump, table_of


def test_more_excess_early_than_late_speaks_for_an_early_reorganisation_and_less_does_not() -> None:
    for ratio, called, expected in ((2.0, True, True), (2.0, False, False), (0.5, True, False)):
        found = find_early({("excess_change", 1): Finding(ratio, ratio / 2, ratio * 2, called)}, 1)
        assert found == Finding(ratio, ratio / 2, ratio * 2, expected)
    raised = {("excess_early", 1): Finding(2.0, 1.8, 2.2, True)}
    assert find_early(raised, 1) is None, "what is above chance early may be so all the time"


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
