"""The topology engine against others: `python -m tests.benchmarks.engine [bars|components|distances]`.

One core, distances given, ways taking turns in one process, medians of five; ripser.py where it is installed.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from .timing import print_row, take_turns, use_one_core

use_one_core()

import gudhi
import numpy as np
from gph import ripser_parallel
from gtda.diagrams import PairwiseDistance
from gudhi.wasserstein import wasserstein_distance
from scipy.sparse.csgraph import minimum_spanning_tree

from src.topology import compute_diagram, diagram_distance
from src.topology.distances import pairwise_distances
from src.topology.reduced_rips import component_deaths

from ..support.builders import activation_like

SIZES = (256, 512, 1024, 2048)


def distances_of(n: int) -> np.ndarray:
    return pairwise_distances(activation_like(np.random.default_rng(0), n))


def by_gudhi(distances: np.ndarray) -> None:
    rips = gudhi.RipsComplex(distance_matrix=distances, max_edge_length=distances.max(axis=1).min())
    tree = rips.create_simplex_tree(max_dimension=1)
    tree.collapse_edges()
    tree.expansion(2)
    tree.compute_persistence()


def bars() -> None:
    """H0 and H1."""
    for n in SIZES:
        matrix = distances_of(n)
        single = matrix.astype(np.float32)
        ways = {
            "ours": lambda m=matrix: compute_diagram(m, metric="precomputed"),
            "giotto-ph": lambda m=single: ripser_parallel(m, maxdim=1, metric="precomputed"),
        }
        if n <= 512:  # beyond, one of its runs takes minutes
            ways["gudhi"] = lambda m=matrix: by_gudhi(m)
        if find_spec("ripser"):
            from ripser import ripser

            ways["ripser.py"] = lambda m=single, call=ripser: call(m, maxdim=1, distance_matrix=True)
        print_row(f"H0 and H1, n = {n}", take_turns(ways), "ours")


def components() -> None:
    """H0 alone."""
    for n in SIZES:
        matrix = distances_of(n)
        single = matrix.astype(np.float32)
        ways = {
            "ours": lambda m=matrix: compute_diagram(m, 0, "precomputed"),
            "without checks": lambda m=single: component_deaths(m),
            "giotto-ph": lambda m=single: ripser_parallel(m, maxdim=0, metric="precomputed"),
            "scipy": lambda m=matrix: minimum_spanning_tree(m).data.sort(),
        }
        print_row(f"H0, n = {n}", take_turns(ways), "ours")


def distances() -> None:
    """W1 between the diagrams of a pair: the same cloud after a small step."""
    rng = np.random.default_rng(0)
    for n, dimension in ((512, 0), (1024, 0), (512, 1), (1024, 1)):
        x = activation_like(rng, n)
        pair = [compute_diagram(cloud) for cloud in (x, x + 0.01 * rng.normal(size=x.shape))]
        left, right = (np.ascontiguousarray(diagram[diagram[:, 2] == dimension, :2]) for diagram in pair)
        ways = {
            "ours": lambda a=pair[0], b=pair[1], k=dimension: diagram_distance(a, b, k),
            "POT": lambda a=left, b=right: wasserstein_distance(a, b, order=1, internal_p=np.inf),
        }
        if dimension == 0:
            batch = np.stack([diagram[diagram[:, 2] == 0] for diagram in pair])
            metric = PairwiseDistance(metric="wasserstein", metric_params={"p": 1, "delta": 1e-6})
            ways["giotto-tda"] = lambda b=batch, m=metric: m.fit_transform(b)
        print_row(f"W1 of {len(left)} H{dimension} bars", take_turns(ways), "ours")


if __name__ == "__main__":
    parts = {"bars": bars, "components": components, "distances": distances}
    for name in sys.argv[1:] or parts:
        parts[name]()
