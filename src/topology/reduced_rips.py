"""Exact H0 and H1 of a Vietoris-Rips filtration over Z/2, by lunes (reduced Rips, arXiv 2307.16333).

Edges are ordered by (length, i, j). The lune of an edge is the set of vertices that both its ends reach by earlier
ones. An edge with an empty lune joins two components, or gives birth to an H1 bar; any other edge is homologous to the
two edges over a vertex of its lune; and only an edge whose lune falls apart, under earlier edges, can kill a bar. So of
the triangles of the full complex only a few are ever looked at.
"""

from __future__ import annotations

import numpy as np

from .births import find_births
from .deaths import find_deaths
from .edges import bits_of, prim, sort_edges

MAX_POINTS = 2**15
"""Two vertices share a 32-bit word."""

MEMORY = 2**28
"""Bytes that sums of bars may take before the work is given up."""
WORK = 2**15
"""64-bit words that may be added up for each edge before the work is given up: a hundred times what clouds need."""


class TooMuch(Exception):  # noqa: N818 - no error: the caller has another way
    """The sums exceed `MEMORY` or `WORK`: distances without any geometry, such as random numbers, do that."""


def component_deaths(distances: np.ndarray, max_length: float = np.inf) -> np.ndarray:
    """Deaths of the finite H0 bars, by Prim's algorithm in O(n^2).

    Args:
        distances: float32 (n, n), symmetric, zero diagonal, not negative.
        max_length: deaths above it are left out.

    Returns:
        float32, sorted; n - 1 of them if nothing is above `max_length`.
    """
    deaths = np.sort(prim(bits_of(distances)))
    return deaths.view(np.float32)[: np.searchsorted(deaths.view(np.float32), np.float32(max_length), side="right")]


def component_and_loop_bars(
    distances: np.ndarray, max_length: float = np.inf, memory: int = MEMORY, work: int = WORK
) -> tuple[np.ndarray, np.ndarray]:
    """H0 deaths and H1 bars.

    Args:
        distances: float32 (n, n), symmetric, zero diagonal, not negative; n at most `MAX_POINTS`.
        max_length: longest edge of the filtration.
        memory: bytes that sums of bars may take.
        work: words that may be added up for each edge.

    Returns:
        float32 sorted H0 deaths, and float32 (n_bars, 2) births and deaths of H1, infinite where a bar outlives
        `max_length`; bars of length zero are among them.

    Raises:
        TooMuch: if one of the two is exceeded.
    """
    bits = bits_of(distances)
    # Past the enclosing radius everything is one cone: nothing is born, and what lived has died.
    longest = np.minimum(np.float32(max_length), distances.max(axis=1).min()).astype(np.float32)
    edges = sort_edges(bits, longest.view(np.int32))
    deaths, births, numbers = find_births(edges, len(bits))
    bars = np.full((len(births), 2), np.inf, dtype=np.float32)
    bars[:, 0] = _lengths(bits, births)
    if len(births):
        killers, within = find_deaths(bits, edges, births, numbers, memory, work * len(edges))
        if not within:
            raise TooMuch
        dead = killers >= 0
        bars[dead, 1] = _lengths(bits, edges[killers[dead]])
    return _lengths(bits, deaths), bars


def _lengths(bits: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """float32 lengths of packed edges."""
    lengths: np.ndarray = bits[edges >> 16, edges & 0xFFFF].view(np.float32)
    return lengths
