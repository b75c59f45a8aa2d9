"""Topology divergence: the published graph, computed naively, and what the number must say of planted changes."""

from __future__ import annotations

import gudhi
import numpy as np
import pytest

from src.topology import compute_diagram, diagram_distance, topology_divergence
from src.topology.distances import expand, median_distance, pairwise_distances
from src.topology.rtd import cross_barcode, divergence_bars
from tests.support.giotto import LIBRARIES


def published_barcode(w: np.ndarray, v: np.ndarray) -> np.ndarray:
    """H1 of the graph of arXiv 2201.00058 with its 2N + 1 vertices, every triangle listed, by gudhi."""
    n = len(w)
    half = np.where(np.tril(np.ones((n, n)), -1) > 0, np.inf, w)  # w with its lower triangle infinite
    tip = np.concatenate([np.zeros(n), np.full(n, np.inf)])
    lengths = np.block(
        [[w, half.T, tip[:n, None]], [half, np.minimum(w, v), tip[n:, None]], [tip[None], np.zeros((1, 1))]]
    )
    complex_ = gudhi.SimplexTree()
    for i in range(2 * n + 1):
        complex_.insert([i], 0.0)
        for j in np.flatnonzero(np.isfinite(lengths[i, :i])):
            complex_.insert([int(j), i], lengths[i, j])
    complex_.expansion(2)
    complex_.compute_persistence(homology_coeff_field=2)
    return complex_.persistence_intervals_in_dimension(1).reshape(-1, 2)


def in_order(bars: np.ndarray) -> np.ndarray:
    return bars[np.lexsort((bars[:, 1], bars[:, 0]))]


@pytest.mark.parametrize("n", [3, 6, 11])
@pytest.mark.parametrize("kind", ["near", "unrelated", "no geometry"])
def test_the_bars_are_those_of_the_published_graph(n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 3))
    y = x + 0.1 * rng.normal(size=x.shape) if kind == "near" else rng.normal(size=x.shape)
    w, v = (
        [expand(rng.random(n * (n - 1) // 2)) for _ in range(2)] if kind == "no geometry"
        else [pairwise_distances(cloud) for cloud in (x, y)]
    )  # fmt: skip
    for first, second in ((w, v), (v, w)):
        expected = published_barcode(first, second)
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(cross_barcode(first, second), in_order(expected), atol=1e-6)
    lengths = [np.ptp(published_barcode(*pair), axis=1).sum() for pair in scaled(w, v)]
    assert topology_divergence(w, v) == pytest.approx(sum(lengths) / 2, abs=1e-5)


def scaled(w: np.ndarray, v: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    a, b = (matrix / median_distance(matrix) for matrix in (w, v))
    return [(a, b), (b, a)]


def test_both_engines_find_the_same_bars() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    w, v = pairwise_distances(x), pairwise_distances(x + 0.2 * rng.normal(size=x.shape))
    np.testing.assert_array_equal(divergence_bars(w, v, "reduced_rips"), divergence_bars(w, v, LIBRARIES[0]))


def test_it_is_0_of_a_cloud_with_itself_and_with_its_similarity_transforms_and_symmetric() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 5))
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    w, v = pairwise_distances(x), pairwise_distances(x + 0.3 * rng.normal(size=x.shape))
    assert topology_divergence(w, w) == 0
    assert topology_divergence(w, pairwise_distances(3 * x @ turn + 7)) < 1e-4 * topology_divergence(w, v)
    assert topology_divergence(w, v) == topology_divergence(v, w) > 0


def shape_change(w: np.ndarray, v: np.ndarray) -> float:
    """W1 of the shape diagrams, H0 and H1 together."""
    before, after = (compute_diagram(matrix / median_distance(matrix), metric="precomputed") for matrix in (w, v))
    return diagram_distance(before, after, 0) + diagram_distance(before, after, 1)


def test_a_cluster_that_goes_to_another_neighbour_is_one_long_bar_where_w1_is_next_to_nothing() -> None:
    rng = np.random.default_rng(2)
    labels, spread = np.arange(96) // 24, 0.3 * rng.normal(size=(96, 4))
    places = np.zeros((2, 4, 4))
    places[:, 1:, 0], places[:, 3, 1] = (4, 20, 12), 20
    places[1, 0, 0] = 24  # from 4 on the left of the second cluster to 4 on the right of the third
    w, v = (pairwise_distances(at[labels] + spread) for at in places)
    bars = divergence_bars(w, v)
    assert topology_divergence(w, v) > 5 * shape_change(w, v)
    assert bars.max() > 0.3
    assert np.sort(bars)[-3] < 0.1, "one bar in each direction"


def test_a_loop_that_opens_and_a_gap_that_moves_along_it_are_long_bars() -> None:
    def loop(place: float, gap: float) -> np.ndarray:
        """Distances of a circle cut open at a place."""
        turned = (angle - place + np.pi) % (2 * np.pi) - np.pi
        at = place + np.sign(turned) * (gap / 2 + np.abs(turned) * (1 - gap / (2 * np.pi)))
        return pairwise_distances(np.column_stack([np.cos(at), np.sin(at)]))

    angle = 2 * np.pi * (np.arange(100) + 0.5) / 100
    closed, opened, elsewhere = loop(0, 0), loop(0, 1.5), loop(np.pi, 1.5)
    assert divergence_bars(closed, opened).max() > 0.5
    assert shape_change(opened, elsewhere) < 1e-3, "the same shape, with other points at the gap"
    assert divergence_bars(opened, elsewhere).max() > 0.5
