"""Does a finding hang on one choice of how it was measured?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from .finding import Finding

RunFindings = Mapping[tuple[str, int], Finding]
"""The findings of one run, by name and homology dimension."""
COMPARED_FINDINGS = ("excess_early", "excess_late", "peak_ratio", "peak_explained_by", "early_share")
MAX_LISTED = 4
"""Ways that are named where they differ from the most."""


def find_agreement(variants: Mapping[str, RunFindings], called: str = "ways of measuring") -> list[str]:
    """For each finding and dimension, whether all ways of measuring one run say the same, and which do not.

    Args:
        ways: what was chosen -> the findings under it.
        called: what the ways are.
    """
    dimensions = sorted({k for found in variants.values() for _, k in found if k >= 0})
    sentences = []
    for k in dimensions:
        for name in COMPARED_FINDINGS:
            verdicts = {
                variant: tell_verdict(name, found[name, k]) for variant, found in variants.items() if (name, k) in found
            }
            if len(verdicts) > 1:
                sentences.append(
                    f"H{k} {name.replace('_', ' ')}: {_compare(verdicts, called)}{_span(variants, name, k)}."
                )
    return sentences


def tell_verdict(name: str, finding: Finding) -> str:
    """What a finding comes down to, in words that can be compared."""
    if finding.label:
        return finding.label.replace("_", " ")
    if not finding.called:
        return "nothing beyond chance"
    if name.startswith("excess"):
        return "more than chance" if finding.value > 1 else "less than chance"
    return "called"


def _compare(verdicts: Mapping[str, str], called: str) -> str:
    counts: dict[str, list[str]] = {}
    for variant, verdict in verdicts.items():
        counts.setdefault(verdict, []).append(variant)
    (most, holders), *others = sorted(counts.items(), key=lambda item: -len(item[1]))
    if not others:
        return f"{most} under all {len(verdicts)} {called}"
    rest = "; ".join(f"{verdict} under {_few(own)}" for verdict, own in others)
    return f"hangs on the choice: {most} under {len(holders)} of {len(verdicts)} {called}, {rest}"


def _few(variants: list[str]) -> str:
    return ", ".join(variants[:MAX_LISTED]) + (
        f" and {len(variants) - MAX_LISTED} more" if len(variants) > MAX_LISTED else ""
    )


def _span(variants: Mapping[str, RunFindings], name: str, k: int) -> str:
    values = [found[name, k].value for found in variants.values() if (name, k) in found]
    values = [value for value in values if math.isfinite(value)]
    return f" (values {min(values):.3g} to {max(values):.3g})" if values else ""
