"""What matching the bars of two diagrams costs and saves. Compiled by Numba, cached."""

from __future__ import annotations

import numpy as np
from numba import njit

LARGEST_COST = 1e250
"""What a power of a length counts at most: in units of the bottleneck distance no match of the optimum comes near."""


@njit(cache=True, nogil=True)
def match_h0_bars(a, b, order):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True)
def find_gains(a, b, alone_a, alone_b, order):  # type: ignore[no-untyped-def]
    """What each match saves: both bars' ways to the diagonal less its own cost, or 0 where it saves nothing.

    Args:
        a, b: float64 (n, 2) and (m, 2) births and deaths.
        alone_a, alone_b: (n,) and (m,) costs of the ways to the diagonal.
        order: the power of a cost.
    """
    gains = np.empty((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            apart = max(abs(a[i, 0] - b[j, 0]), abs(a[i, 1] - b[j, 1]))
            cost = apart if order == 1 else min(apart**order, LARGEST_COST)
            gains[i, j] = max(0.0, alone_a[i] + alone_b[j] - cost)
    return gains
