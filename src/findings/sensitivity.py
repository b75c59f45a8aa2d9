"""Does a finding hang on one choice of how it was measured?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from .finding import Finding

Own = Mapping[tuple[str, int], Finding]
"""The findings of one run, by name and homology dimension."""
TOLD = ("excess_early", "excess_late", "peak_ratio", "peak_explained_by", "early_share")
LISTED = 4
"""Ways that are named where they differ from the most."""


def find_agreement(ways: Mapping[str, Own], called: str = "ways of measuring") -> list[str]:
    """For each finding and dimension, whether all ways of measuring one run say the same, and which do not.

    Args:
        ways: what was chosen -> the findings under it.
        called: what the ways are.
    """
    dimensions = sorted({k for found in ways.values() for _, k in found if k >= 0})
    said = []
    for k in dimensions:
        for name in TOLD:
            verdicts = {way: tell_verdict(name, found[name, k]) for way, found in ways.items() if (name, k) in found}
            if len(verdicts) > 1:
                said.append(f"H{k} {name.replace('_', ' ')}: {_compare(verdicts, called)}{_span(ways, name, k)}.")
    return said


def tell_verdict(name: str, finding: Finding) -> str:
    """What a finding comes down to, in words that can be compared."""
    if finding.word:
        return finding.word.replace("_", " ")
    if not finding.called:
        return "nothing beyond chance"
    if name.startswith("excess"):
        return "more than chance" if finding.value > 1 else "less than chance"
    return "called"


def _compare(verdicts: Mapping[str, str], called: str) -> str:
    counts: dict[str, list[str]] = {}
    for way, verdict in verdicts.items():
        counts.setdefault(verdict, []).append(way)
    (most, holders), *others = sorted(counts.items(), key=lambda item: -len(item[1]))
    if not others:
        return f"{most} under all {len(verdicts)} {called}"
    rest = "; ".join(f"{verdict} under {_few(own)}" for verdict, own in others)
    return f"hangs on the choice: {most} under {len(holders)} of {len(verdicts)} {called}, {rest}"


def _few(ways: list[str]) -> str:
    return ", ".join(ways[:LISTED]) + (f" and {len(ways) - LISTED} more" if len(ways) > LISTED else "")


def _span(ways: Mapping[str, Own], name: str, k: int) -> str:
    values = [found[name, k].value for found in ways.values() if (name, k) in found]
    values = [value for value in values if math.isfinite(value)]
    return f" (values {min(values):.3g} to {max(values):.3g})" if values else ""
