"""In how many of several runs something happened: a finding of one run may be its seed's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .finding import Finding, RunFindings


def summarize_runs(own: Sequence[RunFindings]) -> dict[str, Finding]:
    """What the findings of single runs come to, for each homology dimension that all of them have.

    Returns:
        `peaks_H<k>`: share of the runs in which a peak is called, with what explains it and what the naive velocity
        would have shown; `early_H<k>`: median early share, with the excess of the first tenth and of the last half.
        Nothing for fewer than two runs.
    """
    found: dict[str, Finding] = {}
    if len(own) < 2:
        return found
    for k in sorted(set.intersection(*({k for _, k in one if k >= 0} for one in own))):
        for name, reported in ((f"peaks_H{k}", _tell_peaks(own, k)), (f"early_H{k}", _tell_beginning(own, k))):
            if reported:
                found[name] = reported
    return found


def _tell_peaks(own: Sequence[RunFindings], k: int) -> Finding | None:
    peaks = _those("peak_ratio", own, k)
    if not peaks:
        return None
    called = sum(peak.called for peak in peaks)
    sentence = (
        f"In {called} of {len(peaks)} runs a peak of the H{k} velocity at constant lag is called (highest over late "
        f"level: {_spread(peaks, ' x')}; 5 % of the runs by chance)."
    )
    causes = Counter(cause.label.replace("_", " ") for cause in _those("peak_explained_by", own, k) if cause.called)
    if causes:
        sentence += f" Explained by {', '.join(f'{word}: {count}' for word, count in causes.most_common())}."
    naive = _those("naive_peak_ratio", own, k)
    if naive:
        shown = sum(peak.called for peak in naive)
        sentence += f" The naive velocity shows one in {shown} of {len(naive)} ({_spread(naive, ' x')})."
    return Finding(called / len(peaks), sentence=sentence)


def _tell_beginning(own: Sequence[RunFindings], k: int) -> Finding | None:
    shares = _those("early_share", own, k)
    if not shares:
        return None
    called = sum(share.called for share in shares)
    sentence = (
        f"In {called} of {len(shares)} runs more than a tenth of the H{k} path lies in the first tenth of the steps "
        f"(share: {_spread(shares)})."
    )
    for name, when in (("excess_early", "in the first tenth"), ("excess_late", "in the last half")):
        excess = _those(name, own, k)
        if excess:
            more, less = sum(one.low > 1 for one in excess), sum(one.high < 1 for one in excess)
            sentence += (
                f" Change {when} is above chance in {more} and below it in {less} runs ({_spread(excess, ' x')})."
            )
    return Finding(_median(shares), sentence=sentence)


def _those(name: str, own: Sequence[RunFindings], k: int) -> list[Finding]:
    """One finding of every run that has it."""
    return [one[name, k] for one in own if (name, k) in one]


def _median(findings: Sequence[Finding]) -> float:
    values = [finding.value for finding in findings if math.isfinite(finding.value)]
    return float(np.median(values)) if values else math.nan


def _spread(findings: Sequence[Finding], unit: str = "") -> str:
    values = [finding.value for finding in findings if math.isfinite(finding.value)]
    if not values:
        return "no value"
    return f"median {_median(findings):.2f}{unit}, from {min(values):.2f} to {max(values):.2f}"
