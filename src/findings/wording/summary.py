"""Sentences about what the findings of several runs come to."""

from __future__ import annotations

from collections.abc import Sequence

from ...system.words import count_of
from ..curves import Period
from ..spread import Spread

PERIODS: dict[Period, str] = {"early": "in the first tenth", "late": "in the last half"}


def describe_changes(called: int, runs: int, shares: Spread | None) -> str:
    """In how many runs the activations changed."""
    return (
        f"In {called} of {count_of(runs, 'run')} the activations changed between step 0 and the last checkpoint (share "
        f"of the blocks: {describe_spread(shares)})."
    )


def describe_peaks(called: int, runs: int, ratios: Spread | None, k: int) -> str:
    """In how many runs the velocity has a peak."""
    return (
        f"In {called} of {runs} runs a peak of the H{k} velocity at constant lag is called (highest over late level: "
        f"{describe_ratios(ratios)}; 5 % of the runs by chance)."
    )


def describe_explanations(counts: Sequence[tuple[str, int]]) -> str:
    """What explains the peaks, and in how many runs each: labels with their counts."""
    parts = [f"{label.replace('_', ' ')}: {count}" for label, count in counts]
    return f"Explained by {', '.join(parts)}."


def describe_naive_peaks(called: int, runs: int, ratios: Spread | None) -> str:
    """In how many runs the naive velocity has a peak."""
    return f"The naive velocity shows one in {called} of {runs} ({describe_ratios(ratios)})."


def describe_beginnings(called: int, runs: int, shares: Spread | None, k: int) -> str:
    """In how many runs the beginning has more than its share of the path."""
    return (
        f"In {called} of {runs} runs more than a tenth of the H{k} path lies in the first tenth of the steps (share: "
        f"{describe_spread(shares)})."
    )


def describe_excesses(above: int, below: int, ratios: Spread | None, period: Period) -> str:
    """In how many runs the change in a period of the run is above chance, and in how many below."""
    return (
        f"Change {PERIODS[period]} is above chance in {above} and below it in {below} runs ({describe_ratios(ratios)})."
    )


def describe_ratios(ratios: Spread | None) -> str:
    """Where the values of a finding that is a multiple lie."""
    return describe_spread(ratios, unit=" x")


def describe_spread(spread: Spread | None, unit: str = "") -> str:
    """Where the values of a finding lie; None: there are none."""
    if spread is None:
        return "no value"
    return f"median {spread.median:.2f}{unit}, from {spread.lowest:.2f} to {spread.highest:.2f}"
