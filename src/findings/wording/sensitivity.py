"""Sentences about findings that hang on how a run was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..finding import Finding
from .lists import join_all, join_first

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


def describe_differing(name: str, k: int, ways: Mapping[str, Sequence[str]]) -> str:
    """A finding that the ways do not agree on: verdict -> ways."""
    return f"{name_finding(name, k)}: " + ", ".join(f"{verdict} ({join_all(by)})" for verdict, by in ways.items())


def describe_summary(ways: Sequence[str], agreed: Mapping[str, Sequence[str]], differing: Sequence[str]) -> str:
    """Which findings stand however the run is measured: verdict -> findings; and which do not."""
    alike = "; ".join(f"{verdict} ({join_all(names)})" for verdict, names in agreed.items()) or "nothing"
    other = f" Not alike: {'; '.join(differing)}." if differing else ""
    return f"Measured in {len(ways)} ways: {join_all(ways)}. Alike in all of them: {alike}.{other}"


def name_finding(name: str, k: int) -> str:
    """A finding and its dimension in words."""
    return f"H{k} {name.replace('_', ' ').removesuffix(' ratio')}"
