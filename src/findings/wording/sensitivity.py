"""Sentences about findings that hang on how a run was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..finding import Finding
from .lists import join_first

MAX_LISTED = 4
"""Ways that are named where they differ from the most."""


def describe_verdict(name: str, finding: Finding) -> str:
    """What a finding comes down to, in words that can be compared."""
    if finding.label:
        return finding.label.replace("_", " ")
    if not finding.called:
        return "nothing beyond chance"
    if name.startswith("excess"):
        return "more than chance" if finding.value > 1 else "less than chance"
    return "called"


def describe_agreement(verdict: str, variants: int, called: str) -> str:
    """That all ways give the same verdict; `called` is what the ways are."""
    return f"{verdict} under all {variants} {called}"


def describe_dependence(
    verdict: str, holders: int, variants: int, called: str, others: Mapping[str, Sequence[str]]
) -> str:
    """Which verdict most ways give, and which ways give others: verdict -> ways."""
    rest = "; ".join(f"{other} under {join_first(ways, MAX_LISTED)}" for other, ways in others.items())
    return f"hangs on the choice: {verdict} under {holders} of {variants} {called}, {rest}"


def describe_finding(name: str, k: int, comparison: str, bounds: tuple[float, float] | None) -> str:
    """How the ways compare in one finding, with its lowest and highest value."""
    values = f" (values {bounds[0]:.3g} to {bounds[1]:.3g})" if bounds else ""
    return f"H{k} {name.replace('_', ' ')}: {comparison}{values}."
