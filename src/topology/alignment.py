"""Distances between lists of lengths in one dimension. Compiled by Numba, cached."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def align(a, b, order):  # type: ignore[no-untyped-def]
    """The cheapest partial matching of H0 bars that are all born at 0, to the power `order`.

    A match of deaths costs |a_i - b_j| ** order; a bar without a match goes to the diagonal, (a_i / 2) ** order. For a
    convex cost an optimal matching does not cross, so both lists are walked in order, as in the alignment of two
    sequences: O(len(a) * len(b)) time, O(len(b)) memory.

    Args:
        a, b: float64, sorted in ascending order.
        order: 1 or more.
    """
    alone = (b / 2) ** order
    costs = np.empty(len(b) + 1)
    costs[0] = 0.0
    for j in range(len(b)):
        costs[j + 1] = costs[j] + alone[j]
    for i in range(len(a)):
        single = (a[i] / 2) ** order
        before = costs[0]
        costs[0] = left = before + single
        for j in range(len(b)):
            apart = abs(a[i] - b[j])
            matched = before + (apart if order == 1 else apart**order)
            before = costs[j + 1]
            left = min(matched, min(before + single, left + alone[j]))
            costs[j + 1] = left
    return costs[len(b)]
