"""What one run says for or against a claim."""

from __future__ import annotations

from src.findings import Evidence, run_findings
from src.findings.finding import Finding
from src.findings.support import find_early, find_support
from tests.support.tables import bump, table_of


def test_an_early_reorganisation_is_more_excess_early_than_late_and_never_less() -> None:
    more = Finding(1.5, 1.2, 1.9, called=True)
    less = Finding(0.5, 0.4, 0.6, called=True)
    assert find_early({("excess_change", 1): more}, 1) == more
    assert find_early({("excess_change", 1): less}, 1) == Finding(0.5, 0.4, 0.6, called=False)
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
