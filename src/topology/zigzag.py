"""Zigzag persistence across layers: which clusters and loops of neighbourhood graphs go on from layer to layer.

K_0 <- K_01 -> K_1 <- K_12 -> ... K_(L-1): the cliques of the k-nearest-neighbour graph of the same points in each
layer, and what neighbouring layers have in common. Gardinazzi et al., arXiv:2410.11042.

GUDHI has no zigzag for Python, but extended persistence: that of the height of the telescope, in which the layers are
floors and what they have in common joins them, has the same bars (Carlsson, de Silva and Morozov, Zigzag persistent
homology and real-valued functions, doi:10.1145/1542362.1542408).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import gudhi
import numpy as np

MAX_DIMENSION = 1
"""Clusters and loops: loops need the triangles of a graph, voids would need its tetrahedra."""


def neighbor_graph(distances: np.ndarray, neighbors: int) -> np.ndarray:
    """The graph that joins two points if one is among the nearest neighbours of the other.

    Args:
        distances: (N, N), 0 on the diagonal.
        neighbors: of each point, without itself; at least 1 and below N. Equally near ones count in their order.

    Returns:
        (N, N) bool, symmetric, without loops.

    Raises:
        ValueError: if there are not so many other points.
    """
    if not 1 <= neighbors < len(distances):
        raise ValueError(f"neighbors={neighbors}: each of {len(distances)} points has {len(distances) - 1} others")
    others = distances + np.diag(np.full(len(distances), np.inf))
    graph = np.zeros(distances.shape, dtype=bool)
    np.put_along_axis(graph, np.argsort(others, axis=1, kind="stable")[:, :neighbors], True, axis=1)
    return graph | graph.T


def zigzag_bars(graphs: Sequence[np.ndarray]) -> np.ndarray:
    """Bars of H0 and H1 across layers, over Z/2, in whole layers.

    A bar that begins in what two layers have in common begins in the later one, one that ends there or on the way to
    it ends before the later one; a bar that is in no layer itself is none (the effective bars of the paper).

    Args:
        graphs: one (N, N) bool adjacency a layer, symmetric, of the same points in the same order.

    Returns:
        int64 (n_bars, 3): the first layer, from 0; the first layer that it is no longer in; the dimension. In order.
    """
    tree = gudhi.SimplexTree()
    for simplices in _telescope(graphs):
        # Of a vertex its layer: a simplex enters at the later one, and what is there already keeps its own.
        tree.insert_batch(simplices, (simplices.max(axis=0) // len(graphs[0])).astype(np.float64))
    tree.extend_filtration()
    ordinary, relative, *extended = tree.extended_persistence(homology_coeff_field=2, min_persistence=-1.0)
    bars = [*_between(ordinary, 0, 0), *_between([(k, (b, a)) for k, (a, b) in relative], 1, 1)]
    for k, ends in (pair for pairs in extended for pair in pairs):
        a, b = map(round, ends)
        bars.append((a, b + 1, k) if a <= b else (b + 1, a, k - 1))  # [a, b], or (b, a) one dimension below
    kept = [bar for bar in bars if bar[0] < bar[1] and 0 <= bar[2] <= MAX_DIMENSION]
    return np.array(sorted(kept), dtype=np.int64).reshape(-1, 3)


def _between(pairs: Sequence[tuple[int, tuple[float, float]]], after: int, below: int) -> list[tuple[int, int, int]]:
    """Bars [a, b) of ordinary pairs; (a, b] of relative ones, one dimension below them."""
    return [(round(a) + after, round(b) + after, k - below) for k, (a, b) in pairs]


def _telescope(graphs: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Simplices of the telescope as (vertices, simplices) arrays, points first; faces follow from them.

    Vertex v of layer l is the number l N + v. A clique that two layers have in common is the prism between them, which
    is cut into simplices along the order of the vertices.
    """
    count = len(graphs[0])
    yield np.arange(len(graphs) * count)[None]
    for layer, graph in enumerate(graphs):
        for clique in _cliques(graph):
            yield layer * count + clique
    for layer, (graph, following) in enumerate(pairwise(graphs)):
        for clique in (np.arange(count)[None], *_cliques(graph & following)):
            low, high = layer * count + clique, (layer + 1) * count + clique
            for cut in range(len(clique)):
                yield np.vstack([low[: cut + 1], high[cut:]])


def _cliques(graph: np.ndarray) -> Iterator[np.ndarray]:
    """Edges (2, n) and triangles (3, n) of a graph, vertices ascending."""
    edges = np.array(np.nonzero(np.triu(graph, 1)))
    yield edges
    edge, third = np.nonzero(np.triu(graph, 1)[edges[0]] & np.triu(graph, 1)[edges[1]])
    yield np.vstack([edges[:, edge], third[None]])


def effective_image(bars: np.ndarray, layers: int, dimension: int) -> np.ndarray:
    """The effective persistence image: how many bars begin at each layer and end at each.

    Args:
        bars: (n_bars, 3) of `zigzag_bars`.
        layers: their number.
        dimension: 0 or 1.

    Returns:
        int64 (layers, layers + 1): [first layer, first layer that the bar is no longer in].
    """
    image = np.zeros((layers, layers + 1), dtype=np.int64)
    of_dimension = bars[bars[:, 2] == dimension]
    np.add.at(image, (of_dimension[:, 0], of_dimension[:, 1]), 1)
    return image


def births_frequency(image: np.ndarray) -> np.ndarray:
    """Share of all bars that begin at each layer, (layers,); NaN if there is no bar.

    Equation 5 of the paper with alpha = 0, where every bar counts alike, divided so that the layers add up to 1.
    """
    births, all_bars = image.sum(axis=1), image.sum()
    return births / all_bars if all_bars else np.full(len(births), np.nan)


def betti_numbers(image: np.ndarray) -> np.ndarray:
    """Bars that are in each layer, (layers,): the Betti numbers of its complex."""
    return np.array([image[: layer + 1, layer + 1 :].sum() for layer in range(len(image))])


def layer_persistence(image: np.ndarray) -> np.ndarray:
    """Inter-layer persistence, (layers,): the share of a layer's bars that another layer and all between them have.

    The mean over all other layers, each counting alike (equations 7 and 8 of the paper with alpha = 0). NaN where a
    layer has no bar, and where it is the only one.
    """
    layers = len(image)
    shared = np.array([[image[: min(a, b) + 1, max(a, b) + 1 :].sum() for b in range(layers)] for a in range(layers)])
    others = shared.sum(axis=1) - np.diag(shared)
    with np.errstate(invalid="ignore"):
        return np.asarray(others / (np.diag(shared) * (layers - 1.0)))
