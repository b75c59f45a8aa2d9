"""From a stored cloud to what a TDA method is given."""

from __future__ import annotations

import numpy as np


def prepare_points(cloud: np.ndarray, base: np.ndarray, *, metric: str, points: int | None) -> np.ndarray:
    """The first `points` rows in float64, standardized where asked.

    Args:
        cloud: (N, D) activations.
        base: (N, D) activations of the same layer at step 0, whose statistics standardize every step alike.
        metric: `standardized` divides each coordinate by its step-0 standard deviation; others change nothing.
        points: rows to take; None takes all.

    Returns:
        float64 (points, D).
    """
    chosen = np.asarray(cloud[:points], dtype=np.float64)
    if metric != "standardized":
        return chosen
    reference = np.asarray(base[:points], dtype=np.float64)
    spread = reference.std(0)
    # A coordinate that never varies carries no distance at step 0; it keeps its own unit.
    return (chosen - reference.mean(0)) / np.where(spread > 0, spread, 1.0)
