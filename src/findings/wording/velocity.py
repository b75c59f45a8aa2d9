"""Sentences about the course of the velocity."""

from __future__ import annotations

import math

from ..peaks import Decline, Explanation, Peak


def describe_peak(peak: Peak, k: int) -> str:
    """Where the velocity is highest, how high, and whether that is a peak."""
    if peak.called:
        return (
            f"H{k} velocity at constant lag has a peak at step {peak.step:.0f}: {peak.ratio:.2f} x its last-half "
            f"median (95 %: {peak.low:.2f} to {peak.high:.2f}) and {peak.rise:.2f} x what lies before, more than "
            f"neighbouring steps that are alike make by chance (p = {peak.p:.2g})."
        )
    bounds = f"95 %: {peak.low:.2f} to {peak.high:.2f}" if math.isfinite(peak.low) else "no interval"
    return (
        f"H{k} velocity at constant lag is highest at step {peak.step:.0f}, {peak.ratio:.2f} x its last-half median "
        f"({bounds}): no peak is called. {_why_no_peak(peak)}"
    )


def _why_no_peak(peak: Peak) -> str:
    if math.isnan(peak.rise):
        return "It does not rise to that height."
    if peak.low <= 1 or peak.rise_low <= 1:
        return f"It rises {peak.rise:.2f} x and falls {peak.ratio:.2f} x, not both by more than its noise."
    return f"Neighbouring steps that are alike make as much by chance (p = {peak.p:.2g})."


def describe_decline(decline: Decline, k: int) -> str:
    """That the velocity falls from its beginning, and how far."""
    return (
        f"H{k} velocity at constant lag declines: in the first tenth of the steps it is {decline.ratio:.2f} x its "
        f"last-half median (95 %: {decline.low:.2f} to {decline.high:.2f}, p = {decline.p:.2g}), and no peak comes "
        "between."
    )


def describe_explanation(explanation: Explanation, k: int) -> str:
    """What a called peak is an artefact of, if of anything; for `schedule` there is `describe_schedule`."""
    sentences: dict[Explanation, str] = {
        "no_peak": f"Nor is one called in the naive H{k} velocity.",
        "unknown": (
            f"Whether the points only moved further at the H{k} peak is unknown: no distance change was measured."
        ),
        "nothing": (
            f"The H{k} peak stays when divided by how far the distances moved: it is a change of shape beyond the size "
            "of the movement."
        ),
        "learning_rate": (
            f"The H{k} peak is gone when divided by the distance change or by the learning rate: the learning-rate "
            "schedule explains it."
        ),
        "displacement": (
            f"The H{k} peak is gone when divided by the distance change: the points moved further there, not otherwise."
        ),
    }
    return sentences[explanation]


def describe_schedule(naive_peak: Peak, k: int) -> str:
    """That only the naive velocity has a peak, and why."""
    return (
        f"The naive H{k} velocity, {naive_peak.ratio:.1f} x its last-half median at step {naive_peak.step:.0f}, is "
        "explained by the schedule: it divides by the steps between checkpoints, which lie closer early in the run."
    )


def describe_early_share(share: float, low: float, high: float, p: float, k: int) -> str:
    """How much of the path lies in the first tenth of the steps."""
    bounds = f"95 %: {100 * low:.1f} to {100 * high:.1f}, " if math.isfinite(low) else ""
    return (
        f"{100 * share:.1f} % of the H{k} path lies in the first tenth of the steps ({bounds}p = {p:.2g}; 10 is "
        "nothing special)."
    )


def describe_unsettled(k: int) -> str:
    """That the velocity did not come to its late level."""
    return f"H{k} velocity had not settled at the end."


def describe_level(k: int) -> str:
    """That the velocity never left its late level."""
    return f"H{k} velocity stays at its late level from the start."


def describe_stabilisation(step: float, k: int) -> str:
    """From when on the velocity stays at its late level."""
    return f"H{k} velocity stays at its late level from step {step:.0f} on."
