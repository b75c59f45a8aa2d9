"""Does a finding hang on one choice of how it was measured?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from .finding import Finding
from .wording.sensitivity import (
    describe_agreement,
    describe_dependence,
    describe_differing,
    describe_finding,
    describe_summary,
    describe_verdict,
    name_finding,
)

RunFindings = Mapping[tuple[str, int], Finding]
"""The findings of one run, by name and homology dimension."""
COMPARED_FINDINGS = (
    "excess_early", "excess_late", "excess_change", "peak_ratio", "decline_ratio", "peak_explained_by", "early_share",
)  # fmt: skip


def find_agreement(variants: Mapping[str, RunFindings], called: str = "ways of measuring") -> list[str]:
    """For each finding and dimension, whether all ways of measuring one run say the same, and which do not.

    Args:
        variants: what was chosen -> the findings under it.
        called: what the ways are.
    """
    sentences = []
    for name, k, findings in _shared_findings(variants):
        bounds = _find_bounds([finding.value for finding in findings.values()])
        sentences.append(describe_finding(name, k, _compare(_verdicts(name, findings), called), bounds))
    return sentences


def summarize_agreement(variants: Mapping[str, RunFindings]) -> str:
    """In one paragraph the findings that all ways of measuring one run agree on, and those that they do not."""
    agreed: dict[str, list[str]] = {}
    differing: list[str] = []
    for name, k, findings in _shared_findings(variants):
        ways = _group(_verdicts(name, findings))
        if len(ways) == 1:
            agreed.setdefault(next(iter(ways)), []).append(name_finding(name, k))
        else:
            differing.append(describe_differing(name, k, ways))
    return describe_summary(list(variants), agreed, differing)


def _shared_findings(variants: Mapping[str, RunFindings]) -> Iterator[tuple[str, int, dict[str, Finding]]]:
    """Each finding that several ways have: its name, its dimension, what it is under each of them."""
    for k in sorted({k for found in variants.values() for _, k in found if k >= 0}):
        for name in COMPARED_FINDINGS:
            findings = {variant: found[name, k] for variant, found in variants.items() if (name, k) in found}
            if len(findings) > 1:
                yield name, k, findings


def _verdicts(name: str, findings: Mapping[str, Finding]) -> dict[str, str]:
    return {variant: describe_verdict(name, finding) for variant, finding in findings.items()}


def _compare(verdicts: Mapping[str, str], called: str) -> str:
    (most, holders), *others = sorted(_group(verdicts).items(), key=lambda item: -len(item[1]))
    if not others:
        return describe_agreement(most, len(verdicts), called)
    return describe_dependence(most, len(holders), len(verdicts), called, dict(others))


def _group(verdicts: Mapping[str, str]) -> dict[str, list[str]]:
    """Verdict -> the ways that come to it."""
    ways: dict[str, list[str]] = {}
    for way, verdict in verdicts.items():
        ways.setdefault(verdict, []).append(way)
    return ways


def _find_bounds(values: Iterable[float]) -> tuple[float, float] | None:
    """The lowest and the highest of the finite values; None if there are none."""
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else None
