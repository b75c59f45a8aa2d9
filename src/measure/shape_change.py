"""How far one normalized diagram is from another; NaN where one of the two does not exist."""

from __future__ import annotations

import math

import numpy as np

from ..topology import coherence, diagram_distance


def shape_distance(a: np.ndarray | None, b: np.ndarray | None, k: int) -> float:
    return math.nan if a is None or b is None else diagram_distance(a, b, k)


def own_scale_distance(a: np.ndarray | None, b: np.ndarray | None, k: int) -> float:
    """The distance after each diagram was divided by its own mean bar length: blind to one common scaling."""
    scaled = [None if d is None else _by_own_length(d, k) for d in (a, b)]
    return shape_distance(scaled[0], scaled[1], k)


def _by_own_length(diagram: np.ndarray, k: int) -> np.ndarray | None:
    """The diagram in units of its mean bar length in dimension k; None if it has no bar there."""
    bars = diagram[diagram[:, 2] == k]
    return diagram / [(length := float((bars[:, 1] - bars[:, 0]).mean())), length, 1.0] if len(bars) else None


def shape_coherence(a: np.ndarray | None, b: np.ndarray | None, k: int) -> float:
    return math.nan if a is None or b is None else coherence(a, b, k)
