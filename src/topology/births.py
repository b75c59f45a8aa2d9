"""Births of H1 bars: edges with empty lunes; `reduced_rips.py` explains them. Compiled by Numba, cached."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_births(edges, n):  # type: ignore[no-untyped-def]
    """Edges with empty lunes: those of the spanning tree, those that bear an H1 bar, and the bar's number by edge."""
    words = (n + 63) >> 6
    reach = np.zeros((n, words), dtype=np.uint64)
    parent = np.arange(n)
    tree = np.empty(n - 1, dtype=np.int32)
    births = np.empty(len(edges), dtype=np.int32)
    numbers = np.full(len(edges), -1, dtype=np.int32)
    joined = born = 0
    for e in range(len(edges)):
        i, j = edges[e] >> 16, edges[e] & 0xFFFF
        empty = True
        for w in range(words):
            if reach[i, w] & reach[j, w]:
                empty = False
                break
        if empty:
            a, b = i, j
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            if a != b:
                parent[a] = b
                tree[joined] = edges[e]
                joined += 1
                numbers[e] = -2
            else:
                births[born] = edges[e]
                numbers[e] = born
                born += 1
        reach[i, j >> 6] |= np.uint64(1) << np.uint64(j & 63)
        reach[j, i >> 6] |= np.uint64(1) << np.uint64(i & 63)
    return tree[:joined].copy(), births[:born].copy(), numbers
