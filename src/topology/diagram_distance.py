"""Exact distances between diagrams, ground metric L-infinity."""

from __future__ import annotations

import math

import gudhi
import numpy as np

from .matching import match_bars, match_h0_bars

MAX_ORDER = 64
"""Of a Wasserstein distance; of 1,000 bars it is within 12 % of the bottleneck distance, of two within 2 %."""


def diagram_distance(a: np.ndarray, b: np.ndarray, dimension: int, order: float = 1) -> float:
    """Wasserstein distance between the bars of one homology dimension of two diagrams.

    A bar may be matched to a bar or to the diagonal; a match costs the larger of its two coordinate differences
    (L-infinity), to the power `order`. See doi:10.1007/s10208-010-9060-6.

    Args:
        a, b: (n_bars, 3) diagrams: birth, death, dimension, all finite.
        dimension: homology dimension.
        order: from 1 to 64; `numpy.inf` is the bottleneck distance.

    Returns:
        The distance, in the diagrams' own units.

    Raises:
        ValueError: if a bar has no end, or there is no such order.
    """
    if not (1 <= order <= MAX_ORDER or order == np.inf):
        raise ValueError(
            f"order={order}: give a number from 1 to {MAX_ORDER}, or numpy.inf for the bottleneck distance"
        )
    left, right = (np.ascontiguousarray(d[d[:, 2] == dimension, :2], dtype=np.float64) for d in (a, b))
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ValueError("a bar has no end: distances are between finite bars")
    if order == np.inf:
        return float(gudhi.bottleneck_distance(left, right, 0.0))
    unit = 1.0
    if order > 1:
        # In units of the bottleneck distance, which every match of the optimum is about as long as: powers of lengths
        # as they come would underflow.
        unit = float(gudhi.bottleneck_distance(left, right, 0.0))
        if unit == 0:
            return 0.0
        left, right = left / unit, right / unit
    if not (left[:, 0].any() or right[:, 0].any()):
        return unit * float(match_h0_bars(np.sort(left[:, 1]), np.sort(right[:, 1]), order)[0] ** (1 / order))
    return unit * float(match_bars(left, right, order)[2] ** (1 / order))


def coherence(a: np.ndarray, b: np.ndarray, dimension: int) -> float:
    """How much of the way from one diagram to another is one common change of all deaths, with its sign.

    Args:
        a, b: (n_bars, 3) diagrams.
        dimension: homology dimension.

    Returns:
        The sum of the changes of death of the matched bars over the 1-Wasserstein distance: 1 if every bar dies later,
        -1 if every bar dies earlier, near 0 if as much of each; NaN for equal diagrams.
    """
    left, right = (d[d[:, 2] == dimension, :2] for d in (a, b))
    if not (left[:, 0].any() or right[:, 0].any()):
        cost, change = match_h0_bars(np.sort(left[:, 1]), np.sort(right[:, 1]), 1.0)
    else:
        rows, columns, cost = match_bars(left, right, 1)
        change = (right[columns, 1] - left[rows, 1]).sum()
    return float(change) / cost if cost else math.nan
