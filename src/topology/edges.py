"""Edges of the complete graph on a cloud: its spanning tree and their order. Compiled by Numba, cached.

Distances are float32 and enter as their bits: for numbers that are not negative the order of the bits, read as
integers, is the order of the numbers, and integers compare faster.
"""

from __future__ import annotations

import numpy as np
from numba import njit


def bits_of(distances: np.ndarray) -> np.ndarray:
    """The bits of float32 distances, none of them negative zero, as int32."""
    return np.ascontiguousarray(distances, dtype=np.float32).view(np.int32)


@njit(cache=True, nogil=True)
def is_sound(bits):  # type: ignore[no-untyped-def]
    """Whether a square matrix is one of distances: finite, symmetric, no sign, its diagonal 0."""
    n, tile, sound, seen = len(bits), 64, 0, 0
    mirror = np.empty((tile, tile), dtype=np.int32)
    infinity = 0x7F800000
    for top in range(0, n, tile):  # by tiles: a whole column at a time would miss the cache at every entry
        rows = min(tile, n - top)
        for left in range(top, n, tile):
            columns = min(tile, n - left)
            for j in range(columns):
                for i in range(rows):
                    mirror[i, j] = bits[left + j, top + i]
            for i in range(rows):
                for j in range(columns):
                    here = bits[top + i, left + j]
                    sound += int((here == mirror[i, j]) & (here >= 0) & (here < infinity))
            seen += rows * columns
    for i in range(n):
        sound += int(bits[i, i] == 0)
    return sound == seen + n


@njit(cache=True, nogil=True)
def prim(bits):  # type: ignore[no-untyped-def]
    """Bits of the n - 1 lengths of the minimum spanning tree, by Prim's algorithm."""
    n = len(bits)
    out = np.empty(n - 1, dtype=np.int32)
    nearest = np.full(n, 2**31 - 1, dtype=np.int32)
    outside = np.zeros(n, dtype=np.int32)  # all ones where a vertex is in the tree: it makes any distance the largest
    here = 0
    for step in range(n - 1):
        outside[here] = 2**31 - 1
        nearest[here] = 2**31 - 1
        row = bits[here]
        best = np.int32(2**31 - 1)
        for k in range(n):
            nearest[k] = min(nearest[k], row[k] | outside[k])
            best = min(best, nearest[k])
        for k in range(n):
            if nearest[k] == best and outside[k] == 0:
                here = k
                break
        out[step] = best
    return out


@njit(cache=True, nogil=True)
def sort_edges(bits, longest):  # type: ignore[no-untyped-def]
    """Edges i < j no longer than `longest`, packed as i << 16 | j, by (length, i, j): a stable radix sort."""
    n = len(bits)
    count = 0
    least = np.int32(2**31 - 1)
    for i in range(n):
        for j in range(i + 1, n):
            if bits[i, j] <= longest:
                count += 1
                least = min(least, bits[i, j])
    items = np.empty(count, dtype=np.uint64)
    other = np.empty(count, dtype=np.uint64)
    at = 0
    for i in range(n):
        for j in range(i + 1, n):
            if bits[i, j] <= longest:
                items[at] = (np.uint64(bits[i, j] - least) << np.uint64(32)) | np.uint64(i << 16 | j)
                at += 1
    shift = 32
    spread = np.int64(longest) - np.int64(least)
    starts = np.empty(2049, dtype=np.int64)
    while spread > 0:
        starts[:] = 0
        for item in items:
            starts[((item >> np.uint64(shift)) & np.uint64(2047)) + np.uint64(1)] += 1
        for digit in range(2048):
            starts[digit + 1] += starts[digit]
        for item in items:
            digit = (item >> np.uint64(shift)) & np.uint64(2047)
            other[starts[digit]] = item
            starts[digit] += 1
        items, other = other, items
        shift += 11
        spread >>= 11
    edges = np.empty(count, dtype=np.int32)
    for e in range(count):
        edges[e] = np.int32(items[e] & np.uint64(0xFFFFFFFF))
    return edges
