"""Does a finding hang on one choice of how it was measured?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from .finding import Finding
from .wording.sensitivity import describe_agreement, describe_dependence, describe_finding, describe_verdict

RunFindings = Mapping[tuple[str, int], Finding]
"""The findings of one run, by name and homology dimension."""
COMPARED_FINDINGS = ("excess_early", "excess_late", "peak_ratio", "peak_explained_by", "early_share")


def find_agreement(variants: Mapping[str, RunFindings], called: str = "ways of measuring") -> list[str]:
    """For each finding and dimension, whether all ways of measuring one run say the same, and which do not.

    Args:
        variants: what was chosen -> the findings under it.
        called: what the ways are.
    """
    dimensions = sorted({k for found in variants.values() for _, k in found if k >= 0})
    sentences = []
    for k in dimensions:
        for name in COMPARED_FINDINGS:
            findings = {variant: found[name, k] for variant, found in variants.items() if (name, k) in found}
            if len(findings) > 1:
                verdicts = {variant: describe_verdict(name, finding) for variant, finding in findings.items()}
                bounds = _find_bounds([finding.value for finding in findings.values()])
                sentences.append(describe_finding(name, k, _compare(verdicts, called), bounds))
    return sentences


def _compare(verdicts: Mapping[str, str], called: str) -> str:
    variants_by_verdict: dict[str, list[str]] = {}
    for variant, verdict in verdicts.items():
        variants_by_verdict.setdefault(verdict, []).append(variant)
    (most, holders), *others = sorted(variants_by_verdict.items(), key=lambda item: -len(item[1]))
    if not others:
        return describe_agreement(most, len(verdicts), called)
    return describe_dependence(most, len(holders), len(verdicts), called, dict(others))


def _find_bounds(values: Iterable[float]) -> tuple[float, float] | None:
    """The lowest and the highest of the finite values; None if there are none."""
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else None
