"""The matching of largest gain over a few edges, exactly. Compiled by Numba, cached.

By successive shortest paths (Galil, doi:10.1145/6462.6502, section 3); for most rows bids are enough (Bertsekas,
doi:10.1007/BF02186476).
"""

from __future__ import annotations

import numpy as np
from numba import njit

ALONE = -1
"""Instead of a partner: none."""
_BIDS = 50
"""In one chain of rows that outbid each other; what is then left over is worth a shortest path."""


@njit(cache=True, nogil=True)
def solve(columns, gains, counts, m):  # type: ignore[no-untyped-def]
    """The matching of largest gain over the edges: partners of the rows, prices of the columns, profits of the rows.

    For every edge, profit + price >= gain, with equality for matches; what has no partner has profit or price 0.
    """
    n = len(counts)
    partners, owners = np.full(n, ALONE), np.full(m, ALONE)
    prices, profits = np.zeros(m), np.zeros(n)
    for i in _bid(columns, gains, counts, partners, owners, prices, profits):
        _augment(i, columns, gains, counts, partners, owners, prices, profits)
    return partners, prices, profits


@njit(cache=True, nogil=True)
def _bid(columns, gains, counts, partners, owners, prices, profits):  # type: ignore[no-untyped-def]
    """Each row takes the column that it profits by most, at a price where the next one were as good; the rows left."""
    waiting, left = np.empty(len(counts), np.int64), 0
    for i in range(len(counts)):
        row = i
        for _ in range(_BIDS):
            best, second, column = 0.0, 0.0, ALONE
            for edge in range(counts[row]):
                value = gains[row, edge] - prices[columns[row, edge]]
                if value > best:
                    best, second, column = value, best, columns[row, edge]
                elif value > second:
                    second = value
            if column == ALONE:
                profits[row], row = 0.0, ALONE
                break
            outbid = owners[column]
            if outbid != ALONE and best == second:
                break
            prices[column] += best - second
            profits[row], owners[column], partners[row] = second, row, column
            row = outbid
            if row == ALONE:
                break
            partners[row] = ALONE
        if row != ALONE:
            waiting[left] = row
            left += 1
    return waiting[:left]


@njit(cache=True, nogil=True)
def _augment(root, columns, gains, counts, partners, owners, prices, profits):  # type: ignore[no-untyped-def]
    """Match one more row, or leave out the row whose loss is least: the shortest alternating path (Dijkstra)."""
    distances, previous = np.full(len(owners), np.inf), np.empty(len(owners), np.int64)
    found, seen, settled = np.empty(len(owners), np.int64), 0, 0
    profits[root] = 0.0
    for edge in range(counts[root]):
        profits[root] = max(profits[root], gains[root, edge] - prices[columns[root, edge]])
    row, so_far, loss, left_out, end = root, 0.0, np.inf, root, ALONE
    while True:
        if so_far + profits[row] < loss:
            loss, left_out = so_far + profits[row], row
        for edge in range(counts[row]):
            column = columns[row, edge]
            # Never less than so far, not by rounding either: a settled column would be found again, in a circle.
            distance = so_far + max(0.0, profits[row] + prices[column] - gains[row, edge])
            if distance < distances[column] and distance < loss:
                if distances[column] == np.inf:
                    found[seen] = column
                    seen += 1
                distances[column], previous[column] = distance, row
        nearest, place = loss, ALONE
        for at in range(settled, seen):
            if distances[found[at]] < nearest:
                nearest, place = distances[found[at]], at
        if place == ALONE:
            break
        column = found[place]
        if owners[column] == ALONE:
            end = column
            break
        found[place], found[settled] = found[settled], column
        settled += 1
        row, so_far = owners[column], nearest
    profits[root] -= nearest
    for at in range(settled):
        gap = max(0.0, nearest - distances[found[at]])
        prices[found[at]] += gap
        profits[owners[found[at]]] -= gap
    if end == ALONE:  # the row left out gives its column to the one before it on the path
        end, partners[left_out], profits[left_out] = partners[left_out], ALONE, 0.0
    while end != ALONE:
        row = previous[end]
        owners[end], partners[row], end = row, end, partners[row]
