"""What one run says for or against a claim in one homology dimension, and what explains it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from .chance import MIN_CHECKPOINTS
from .claim import ClaimName, Evidence, Verdict
from .finding import Finding, RunFindings
from .spread import measure_spread
from .wording.claims import (
    NO_INTERVAL,
    NOT_MEASURED,
    describe_early_explanation,
    describe_needed_checkpoints,
    describe_peak_explanation,
)

SENTENCES: dict[ClaimName, tuple[str, ...]] = {
    "changed": ("changed_share",),
    "early": ("excess_change", "excess_early", "excess_late", "early_share"),
    "peak": ("peak_ratio", "decline_ratio", "peak_explained_by"),
}
"""The findings of a run that belong to a claim, in the order in which they are told."""
NOTHING = Finding(math.nan)


def find_support(name: ClaimName, run: Evidence, k: int) -> Finding | str:
    """The finding that says whether a claim is called in a run, or why the run cannot tell.

    Args:
        name: `changed`, `early` or `peak`.
        k: homology dimension; -1 for `changed`.
    """
    if name == "changed":
        return run.findings.get(("changed_share", -1), NOT_MEASURED[name])
    found = find_early(run.findings, k) if name == "early" else run.findings.get(("peak_ratio", k))
    if run.checkpoints < MIN_CHECKPOINTS:
        return describe_needed_checkpoints(MIN_CHECKPOINTS, run.checkpoints)
    if found is None or not math.isfinite(found.value):
        return NOT_MEASURED[name]
    return found if math.isfinite(found.low) and math.isfinite(found.high) else NO_INTERVAL


def find_early(found: RunFindings, k: int) -> Finding | None:
    """Mean excess of the first tenth of the steps over that of the last half; called where it is larger early."""
    change = found.get(("excess_change", k))
    return change and replace(change, called=change.called and change.value > 1)


def find_effect(name: ClaimName, run: Evidence, k: int) -> Finding:
    """What has to be excluded for a claim not to hold in a run, with its bounds; NaN where it was not measured."""
    if name == "changed":
        return run.findings.get(("moved_share", -1), NOTHING)
    found = find_early(run.findings, k) if name == "early" else run.findings.get(("peak_height", k))
    return found or NOTHING


def explain(name: ClaimName, able: Sequence[Finding], runs: Sequence[Evidence], k: int, verdict: Verdict) -> str:
    """What explains a verdict, from the runs that could tell, in a few words; empty where nothing does."""

    def found(name: str) -> list[Finding]:
        return [run.findings[name, k] for run in runs if (name, k) in run.findings]

    if name == "early":
        early, late = (measure_spread(found(f"excess_{period}")) for period in ("early", "late"))
        reverse = sum(finding.value < 1 and finding.high < 1 for finding in able)
        fast = sum(finding.called for finding in found("early_share"))
        return describe_early_explanation(early, late, reverse, fast, len(runs), holds=verdict == "holds")
    if name == "peak":
        labels = Counter(finding.label for finding in found("peak_explained_by"))
        declines = sum(finding.called for finding in found("decline_ratio"))
        return describe_peak_explanation(labels, declines, len(runs))
    return ""
