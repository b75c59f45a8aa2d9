"""The cheapest partial matching of the bars of two diagrams, exactly. Compiled by Numba, cached.

A match is worth its gain: both bars' ways to the diagonal less its own cost. What gains nothing is no match, so the
textbook's (n + m) x (n + m) problem is an n x m one of largest gain. Of its edges only those between near bars can
matter, so each bar begins with a few nearest ones. The matching of largest gain over these (`assignment.py`) has prices
and profits, which tell which of all the other edges could be worth more; with these added it is solved again, until
there are none.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .assignment import ALONE, solve

LARGEST_COST = 1e250
"""What a power of a length counts at most: in units of the bottleneck distance no match of the optimum comes near."""
_NEAREST, _ADDED = 8, 16
"""Edges that a bar begins with, and that it gets at most when it is solved again."""
_ROUNDING = 1e-14
"""Of a gain, relative to what it is made of."""


def match_bars(a: np.ndarray, b: np.ndarray, order: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Which bars of one diagram belong to which of another, and what all costs.

    Args:
        a, b: (n, 2) and (m, 2) births and deaths.
        order: the power of a cost, 1 or more.

    Returns:
        Rows of `a`, the rows of `b` that they are matched to, and the cost to the power `order`.
    """
    with np.errstate(over="ignore"):
        alone_a, alone_b = (np.minimum(((x[:, 1] - x[:, 0]) / 2) ** order, LARGEST_COST) for x in (a, b))
    by_length, by_birth = np.argsort(alone_a, kind="stable"), np.argsort(b[:, 0], kind="stable")
    (births_a, deaths_a), (births_b, deaths_b) = (
        np.ascontiguousarray(a[by_length].T),
        np.ascontiguousarray(b[by_birth].T),
    )
    partners = _match(
        births_a, deaths_a, births_b, deaths_b, alone_a[by_length], alone_b[by_birth], float(order)
    )  # fmt: skip
    rows, columns = by_length[partners != ALONE], by_birth[partners[partners != ALONE]]
    # Added up from the costs: equal diagrams are at distance 0, not at a rounding error.
    costs = np.abs(a[rows] - b[columns]).max(axis=1, initial=0) ** order
    alone = np.delete(alone_a, rows).sum() + np.delete(alone_b, columns).sum()
    return rows, columns, float(costs.sum() + alone)


@njit(cache=True, nogil=True)
def match_h0_bars(a, b, order):  # type: ignore[no-untyped-def]
    """The cheapest partial matching of H0 bars that are all born at 0.

    A match of deaths costs |a_i - b_j| ** order; a bar without a match goes to the diagonal, (a_i / 2) ** order. For a
    convex cost an optimal matching does not cross, so both lists are walked in order, as in the alignment of two
    sequences: O(len(a) * len(b)) time, O(len(b)) memory.

    Args:
        a, b: float64, sorted in ascending order.
        order: 1 or more.

    Returns:
        The cost to the power `order`, and the sum of the changes of death, b_j - a_i, of the bars that are matched.
    """
    alone = (b / 2) ** order
    costs, changes = np.empty(len(b) + 1), np.zeros(len(b) + 1)
    costs[0] = 0.0
    for j in range(len(b)):
        costs[j + 1] = costs[j] + alone[j]
    for i in range(len(a)):
        single = (a[i] / 2) ** order
        before, change = costs[0], 0.0
        costs[0] = left = before + single
        for j in range(len(b)):
            apart = abs(a[i] - b[j])
            best, of_best = before + (apart if order == 1 else apart**order), change + (b[j] - a[i])
            before, change = costs[j + 1], changes[j + 1]
            if before + single < best:
                best, of_best = before + single, change
            if left + alone[j] < best:
                best, of_best = left + alone[j], changes[j]
            costs[j + 1], changes[j + 1] = best, of_best
            left = best
    return costs[len(b)], changes[len(b)]


@njit(cache=True, nogil=True)
def _match(births_a, deaths_a, births_b, deaths_b, alone_a, alone_b, order):  # type: ignore[no-untyped-def]
    """The partner of each bar of a, or ALONE. The bars of b ascend by birth."""
    edges = _nearest_edges(births_a, deaths_a, births_b, deaths_b, alone_a, alone_b, order)
    while True:
        columns, gains, counts = edges
        partners, prices, profits = solve(columns, gains, counts, len(births_b))
        added, edges = _add_edges(
            births_a, deaths_a, births_b, deaths_b, alone_a, alone_b, order, prices, profits, columns, gains, counts
        )
        if not added:
            return partners


@njit(cache=True, nogil=True, inline="always")
def _cost(birth_a, death_a, birth_b, death_b, order):  # type: ignore[no-untyped-def]
    apart = max(abs(birth_a - birth_b), abs(death_a - death_b))
    return apart if order == 1 else min(apart**order, LARGEST_COST)


@njit(cache=True, nogil=True)
def _nearest_edges(births_a, deaths_a, births_b, deaths_b, alone_a, alone_b, order):  # type: ignore[no-untyped-def]
    """For each bar of a its nearest ones of b that gain: columns and gains, (n, edges), and how many, (n,)."""
    n, m = len(births_a), len(births_b)
    columns, gains, counts = np.empty((n, _NEAREST), np.int64), np.empty((n, _NEAREST)), np.zeros(n, np.int64)
    costs = np.empty(_NEAREST)
    for i in range(n):
        up = np.searchsorted(births_b, births_a[i])
        down = up - 1
        count, farthest = 0, np.inf
        while True:  # outwards, by birth, until nothing nearer can come
            j = up
            if up == m or (down >= 0 and births_a[i] - births_b[down] < births_b[up] - births_a[i]):
                j = down
            if j < 0 or _cost(births_a[i], 0.0, births_b[j], 0.0, order) >= farthest:
                break
            if j == up:
                up += 1
            else:
                down -= 1
            cost = _cost(births_a[i], deaths_a[i], births_b[j], deaths_b[j], order)
            gain = alone_a[i] + alone_b[j] - cost
            if cost >= farthest or gain <= 0:
                continue
            place = min(count, _NEAREST - 1)
            while place > 0 and costs[place - 1] > cost:
                costs[place], columns[i, place] = costs[place - 1], columns[i, place - 1]
                gains[i, place] = gains[i, place - 1]
                place -= 1
            costs[place], columns[i, place], gains[i, place] = cost, j, gain
            count = min(count + 1, _NEAREST)
            if count == _NEAREST:
                farthest = costs[count - 1]
        counts[i] = count
    return columns, gains, counts


@njit(cache=True, nogil=True)
def _add_edges(  # type: ignore[no-untyped-def]
    births_a, deaths_a, births_b, deaths_b, alone_a, alone_b, order, prices, profits, columns, gains, counts
):  # fmt: skip
    """The edges with those that would gain more than both bars have now: how many these are, and all."""
    n, before = columns.shape
    more_columns, more_gains = np.empty((n, before + _ADDED), np.int64), np.empty((n, before + _ADDED))
    left = alone_b - prices
    largest, excesses = left.max() if len(left) else 0.0, np.empty(_ADDED)
    counts, total = counts.copy(), 0
    for i in range(n):
        first = counts[i]
        more_columns[i, :first], more_gains[i, :first] = columns[i, :first], gains[i, :first]
        own, added = alone_a[i] - profits[i], 0
        if own + largest <= 0:
            continue
        reach = own + largest if order == 1 else (own + largest) ** (1 / order)
        start = np.searchsorted(births_b, births_a[i] - reach)
        stop = np.searchsorted(births_b, births_a[i] + reach, side="right")
        for j in range(start, stop):
            cost = _cost(births_a[i], deaths_a[i], births_b[j], deaths_b[j], order)
            excess = own + left[j] - cost
            if excess <= 0 or excess <= _ROUNDING * (alone_a[i] + alone_b[j] + profits[i] + prices[j]):
                continue
            if added == _ADDED and excess <= excesses[added - 1]:
                continue
            if (columns[i, :first] == j).any():
                continue
            place = min(added, _ADDED - 1)
            while place > 0 and excesses[place - 1] < excess:
                excesses[place], more_columns[i, first + place] = (
                    excesses[place - 1],
                    more_columns[i, first + place - 1],
                )
                more_gains[i, first + place] = more_gains[i, first + place - 1]
                place -= 1
            excesses[place], more_columns[i, first + place] = excess, j
            more_gains[i, first + place] = alone_a[i] + alone_b[j] - cost
            added = min(added + 1, _ADDED)
        counts[i] = first + added
        total += added
    return total, (more_columns, more_gains, counts)
