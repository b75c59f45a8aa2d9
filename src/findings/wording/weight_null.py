"""Sentences about change beyond random updates of the trained weights."""

from __future__ import annotations

from collections.abc import Sequence

from ...system.words import plural
from .lists import join_first

MAX_LISTED_STEPS = 8


def describe_weights_excess(value: float, steps: Sequence[int], k: int) -> str:
    """The excess against random updates, and where they were made."""
    return (
        f"Against random updates of the trained weights, as large as the real ones, H{k} changed {value:.2f} x as much "
        f"(mean over {plural(len(steps), 'step')} {join_first(steps, MAX_LISTED_STEPS)})."
    )


def describe_agreement(weights: float, smooth: float, limit: float) -> str:
    """That both nulls say the same."""
    return (
        f"Equally smooth movement gives {smooth:.2f} at these steps, which is within {100 * limit:.0f} % of "
        f"{weights:.2f}."
    )


def describe_disagreement(weights: float, smooth: float, limit: float) -> str:
    """That the nulls differ, and which one to believe."""
    return (
        f"Equally smooth movement gives {smooth:.2f} at these steps, more than {100 * limit:.0f} % away from "
        f"{weights:.2f}: trust {weights:.2f}, since random updates go through the model itself."
    )
