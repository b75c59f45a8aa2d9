"""Deaths of H1 bars, by lunes that fall apart; `reduced_rips.py` explains them. Compiled by Numba, cached.

In one file, because Numba's cache notices a change of a function's own file only. An edge is packed as i << 16 | j; a
set of vertices is a row of 64-bit words; so is the sum of bars that an edge's class is.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_UNKNOWN, _ZERO, _BIRTH = -1, -2, -3
"""Codes of an edge's class: not asked for yet, zero, the bar number -3 - code; from 0 on a row of sums."""


@njit(cache=True, nogil=True)
def find_deaths(bits, edges, births, numbers, memory, work):  # type: ignore[no-untyped-def]
    """Which edge, by its place in the order, kills each bar, -1 if none; and whether the work stayed within bounds."""
    n, born_in_all = len(bits), len(births)
    words, wide = (n + 63) >> 6, (born_in_all + 63) >> 6
    killers = np.full(born_in_all, -1, dtype=np.int64)
    if 8 * wide * born_in_all > memory:
        return killers, False
    reach = np.zeros((n, words), dtype=np.uint64)
    codes = np.full((n, n), _UNKNOWN, dtype=np.int32)
    for e in range(len(edges)):
        if numbers[e] != -1:
            i, j = edges[e] >> 16, edges[e] & 0xFFFF
            codes[i, j] = codes[j, i] = _ZERO if numbers[e] == -2 else _BIRTH - numbers[e]
    sums = np.empty((memory // (8 * wide), wide), dtype=np.uint64)
    stack = np.empty((4 * n + 64, 3), dtype=np.int64)
    pivots = np.zeros((born_in_all, wide), dtype=np.uint64)
    lune = np.empty(words, dtype=np.uint64)
    covered = np.empty(words, dtype=np.uint64)
    fresh = np.empty(words, dtype=np.uint64)
    column = np.empty(wide, dtype=np.uint64)
    used = born = dead = 0
    for e in range(len(edges)):
        i, j = edges[e] >> 16, edges[e] & 0xFFFF
        if numbers[e] >= 0:
            born += 1
        elif numbers[e] == -1 and dead < born:
            for w in range(words):
                lune[w] = reach[i, w] & reach[j, w]
                covered[w] = np.uint64(0)
            first = -1
            while True:
                start = _uncovered(lune, covered)
                if start < 0:
                    break
                _flood(reach, lune, covered, fresh, start)
                if first < 0:
                    first = start
                    continue
                # The lune falls apart: a cycle over one vertex of each part.
                column[:] = 0
                for end in (i, j):
                    for other in (first, start):
                        before = used
                        used = _class_of(bits, codes, sums, used, stack, end, other)
                        work -= (used - before) * wide
                        if used < 0 or work < 0:
                            return killers, False
                        _add(column, sums, codes[end, other])
                place = _highest(column)
                while place >= 0 and killers[place] >= 0:
                    for w in range((place >> 6) + 1):
                        column[w] ^= pivots[place, w]
                    work -= wide
                    place = _highest(column)
                if place >= 0:
                    pivots[place] = column
                    killers[place] = e
                    dead += 1
            if dead == born_in_all:
                break
        reach[i, j >> 6] |= np.uint64(1) << np.uint64(j & 63)
        reach[j, i >> 6] |= np.uint64(1) << np.uint64(i & 63)
    return killers, True


@njit(cache=True, nogil=True)
def _class_of(bits, codes, sums, used, stack, i, j):  # type: ignore[no-untyped-def]
    """Make sure that the class of edge (i, j) is known; returns the number of rows in use, -1 if there is no room."""
    top = 0
    stack[0, 0], stack[0, 1], stack[0, 2] = i, j, -1
    words = sums.shape[1]
    while top >= 0:
        a, b, k = stack[top, 0], stack[top, 1], stack[top, 2]
        if codes[a, b] != _UNKNOWN:
            top -= 1
            continue
        if k < 0:
            k = _witness(bits, a, b)
            stack[top, 2] = k
        left, right = codes[a, k], codes[b, k]
        if left == _UNKNOWN or right == _UNKNOWN:
            if top + 2 >= len(stack):
                return -1
            if left == _UNKNOWN:
                top += 1
                stack[top, 0], stack[top, 1], stack[top, 2] = a, k, -1
            if right == _UNKNOWN:
                top += 1
                stack[top, 0], stack[top, 1], stack[top, 2] = b, k, -1
            continue
        if left == right:
            code = _ZERO
        elif left == _ZERO:
            code = right
        elif right == _ZERO:
            code = left
        else:
            if used == len(sums):
                return -1
            sums[used] = 0
            _add(sums[used], sums, left)
            _add(sums[used], sums, right)
            code = _ZERO
            for w in range(words):
                if sums[used, w]:
                    code = used
                    used += 1
                    break
        codes[a, b] = codes[b, a] = code
        top -= 1
    return used


@njit(cache=True, nogil=True)
def _witness(bits, i, j):  # type: ignore[no-untyped-def]
    """The vertex of the edge's lune that is closest to both ends: it leads to the shortest edges."""
    n = len(bits)
    a, b = bits[i], bits[j]
    best = np.int32(2**31 - 1)
    length = bits[i, j]
    for k in range(n):
        reach = max(a[k], b[k])
        if k != i and k != j:
            best = min(best, reach)
    if best < length:
        for k in range(n):
            if k != i and k != j and max(a[k], b[k]) == best:
                return k
    # As long as the edge itself: the order among equal lengths decides.
    for k in range(n):
        level = k != i and k != j and max(a[k], b[k]) == length
        if level and _earlier(bits, i, k, i, j) and _earlier(bits, j, k, i, j):
            return k
    return -1


@njit(cache=True, nogil=True)
def _earlier(bits, a, b, i, j):  # type: ignore[no-untyped-def]
    """Whether edge (a, b) comes before edge (i, j)."""
    first, second = bits[a, b], bits[i, j]
    if first != second:
        return first < second
    return (min(a, b) << 16 | max(a, b)) < (min(i, j) << 16 | max(i, j))


@njit(cache=True, nogil=True)
def _add(column, sums, code):  # type: ignore[no-untyped-def]
    """Add a class, over Z/2, to a column."""
    if code <= _BIRTH:
        number = _BIRTH - code
        column[number >> 6] ^= np.uint64(1) << np.uint64(number & 63)
    elif code >= 0:
        for w in range(len(column)):
            column[w] ^= sums[code, w]


@njit(cache=True, nogil=True)
def _highest(column):  # type: ignore[no-untyped-def]
    """Place of the highest bit that is set in a column; -1 if none is."""
    for w in range(len(column) - 1, -1, -1):
        word = column[w]
        if word:
            place = 63
            while not (word >> np.uint64(place)) & np.uint64(1):
                place -= 1
            return (w << 6) + place
    return -1


@njit(cache=True, nogil=True)
def _uncovered(lune, covered):  # type: ignore[no-untyped-def]
    """A vertex of the lune that is not covered; -1 if all are."""
    for w in range(len(lune)):
        left = lune[w] & ~covered[w]
        if left:
            return (w << 6) + _lowest(left)
    return -1


@njit(cache=True, nogil=True)
def _flood(reach, lune, covered, fresh, start):  # type: ignore[no-untyped-def]
    """Cover the component of `start` in the lune."""
    words = len(lune)
    fresh[:] = 0
    fresh[start >> 6] = np.uint64(1) << np.uint64(start & 63)
    covered[start >> 6] |= fresh[start >> 6]
    at = 0
    while at < words:
        if not fresh[at]:
            at += 1
            continue
        vertex = (at << 6) + _lowest(fresh[at])
        fresh[at] &= fresh[at] - np.uint64(1)
        left = np.uint64(0)
        for w in range(words):
            found = reach[vertex, w] & lune[w] & ~covered[w]
            covered[w] |= found
            fresh[w] |= found
            left |= lune[w] & ~covered[w]
        if not left:
            return
        at = 0


@njit(cache=True, nogil=True)
def _lowest(word):  # type: ignore[no-untyped-def]
    """Place of the lowest bit that is set."""
    place, half = 0, 32
    while half:
        if not word & ((np.uint64(1) << np.uint64(half)) - np.uint64(1)):
            place += half
            word >>= np.uint64(half)
        half >>= 1
    return place
