"""Sentences about change beyond chance."""

from __future__ import annotations

import math

from ...statistics import ALPHA
from ..chance import MIN_CHECKPOINTS
from ..curves import Period

PERIODS: dict[Period, str] = {"early": "in the first tenth of the steps", "late": "in the last half"}


def describe_excess(value: float, low: float, high: float, period: Period, k: int, points: int | None = None) -> str:
    """How the mean change in a period of the run compares with random movement, of so many points."""
    comparison = "more than" if low > 1 else "less than" if high < 1 else "as much as"
    bounds = f"95 %: {low:.2f} to {high:.2f}" if math.isfinite(low) else ""
    if not bounds:
        comparison = "an unknown amount against"
    details = ", ".join(part for part in (bounds, f"N = {points}" if points else "") if part)
    return (
        f"H{k} changed {comparison} chance {PERIODS[period]}: {value:.2f} x an equally smooth random movement of the "
        f"same size{f' ({details})' if details else ''}."
    )


def describe_change(value: float, low: float, high: float, p: float, k: int) -> str:
    """Whether the excess is another one early in the run than late: that, not speed, is an early reorganisation."""
    bounds = f"95 %: {low:.2f} to {high:.2f}, p = {p:.2g}" if math.isfinite(low) else f"no interval, p = {p:.2g}"
    known = p < ALPHA and (low > 1 or high < 1)
    verdict = f"H{k} is reorganised {'more' if value > 1 else 'less'} early in the run than late" if known else (
        f"That H{k} is reorganised more or less early in the run than late cannot be told"
    )  # fmt: skip
    return f"{verdict}: the excess of the first tenth of the steps is {value:.2f} x that of the last half ({bounds})."


def describe_short_change(value: float, k: int) -> str:
    """That too few checkpoints tell whether the excess changes."""
    return (
        f"The H{k} excess of the first tenth of the steps is {value:.2f} x that of the last half; with fewer than "
        f"{MIN_CHECKPOINTS} checkpoints, or all alike, that cannot be told from chance."
    )


def describe_independent(value: float, k: int) -> str:
    """The excess against points that move independently, and how to read it."""
    return (
        f"Against points that move independently H{k} changed {value:.2f} x as much; a movement that is merely smooth "
        "lies below 1 there."
    )


def describe_common_scaling(value: float, coherence: float, k: int) -> str:
    """How much of the change is one common scaling of all bars, and what is left without it."""
    direction = "later" if coherence > 0 else "earlier"
    return (
        f"{100 * abs(coherence):.0f} % of the H{k} change is that all bars die {direction} together; without this one "
        f"common scaling the excess is {value:.2f}."
    )


def describe_significance(above: int, below: int, total: int, k: int) -> str:
    """How many layers x checkpoints changed significantly more and less than chance."""
    return (
        f"For these very probes, and without one common scaling of all bars, significant in {above} (more than chance) "
        f"and {below} (less) of {total} layers x checkpoints in H{k}, at most 5 % of these by chance."
    )


def describe_largest_excess(value: float, layer: str, step: int, last_step: int) -> str:
    """Where the largest significant excess is, and when the last one."""
    return f"Most: {value:.2f} x chance in {layer} at step {step}; the last one is at step {last_step}."
