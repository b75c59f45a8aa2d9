"""In how many of several runs something happened: a finding of one run may be its seed's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from .curves import Period
from .finding import Finding, RunFindings
from .spread import measure_spread
from .wording.summary import (
    describe_beginnings,
    describe_changes,
    describe_excesses,
    describe_explanations,
    describe_naive_peaks,
    describe_peaks,
)

PERIODS: tuple[Period, ...] = ("early", "late")


def summarize_runs(runs: Sequence[RunFindings]) -> dict[str, Finding]:
    """What the findings of single runs come to, for each homology dimension that all of them have.

    Returns:
        `peaks_H<k>`: share of the runs in which a peak is called, with what explains it and what the naive velocity
        would have shown; `early_H<k>`: median early share, with the excess of the first tenth and of the last half;
        and `changed`: share of the runs in which the activations changed at all. Nothing for fewer than two runs.
    """
    found: dict[str, Finding] = {}
    if len(runs) < 2:
        return found
    changed = _select("changed_share", runs, -1)
    if changed:
        called = _count_called(changed)
        sentence = describe_changes(called, len(changed), measure_spread(changed))
        found["changed"] = Finding(called / len(changed), sentence=sentence)
    for k in sorted(set.intersection(*({k for _, k in run if k >= 0} for run in runs))):
        for name, finding in ((f"peaks_H{k}", _count_peaks(runs, k)), (f"early_H{k}", _count_beginnings(runs, k))):
            if finding:
                found[name] = finding
    return found


def _count_peaks(runs: Sequence[RunFindings], k: int) -> Finding | None:
    peaks = _select("peak_ratio", runs, k)
    if not peaks:
        return None
    called = _count_called(peaks)
    parts = [describe_peaks(called, len(peaks), measure_spread(peaks), k)]
    explanations = Counter(finding.label for finding in _select("peak_explained_by", runs, k) if finding.called)
    if explanations:
        parts.append(describe_explanations(explanations.most_common()))
    naive = _select("naive_peak_ratio", runs, k)
    if naive:
        parts.append(describe_naive_peaks(_count_called(naive), len(naive), measure_spread(naive)))
    return Finding(called / len(peaks), sentence=" ".join(parts))


def _count_beginnings(runs: Sequence[RunFindings], k: int) -> Finding | None:
    shares = _select("early_share", runs, k)
    if not shares:
        return None
    spread = measure_spread(shares)
    parts = [describe_beginnings(_count_called(shares), len(shares), spread, k)]
    for period in PERIODS:
        excesses = _select(f"excess_{period}", runs, k)
        if excesses:
            above, below = sum(one.low > 1 for one in excesses), sum(one.high < 1 for one in excesses)
            parts.append(describe_excesses(above, below, measure_spread(excesses), period))
    return Finding(spread.median if spread else math.nan, sentence=" ".join(parts))


def _select(name: str, runs: Sequence[RunFindings], k: int) -> list[Finding]:
    """One finding of every run that has it."""
    return [run[name, k] for run in runs if (name, k) in run]


def _count_called(findings: Sequence[Finding]) -> int:
    return sum(finding.called for finding in findings)
