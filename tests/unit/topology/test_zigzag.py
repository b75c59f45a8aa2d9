"""Bars across layers: what is planted, what holds of any graphs, and what another library finds."""

from __future__ import annotations

import gudhi
import numpy as np
import pytest

from src.topology.zigzag import (
    betti_numbers,
    births_frequency,
    effective_image,
    layer_persistence,
    neighbor_graph,
    zigzag_bars,
)

Bar = tuple[int, int, int]


def graph(points: int, *edges: tuple[int, int]) -> np.ndarray:
    joined = np.zeros((points, points), dtype=bool)
    for a, b in edges:
        joined[a, b] = joined[b, a] = True
    return joined


def bars_of(*graphs: np.ndarray) -> list[Bar]:
    return [(int(a), int(b), int(k)) for a, b, k in zigzag_bars(graphs)]


def random_graphs(seed: int, points: int = 9, layers: int = 5) -> list[np.ndarray]:
    """Each layer is the one before it with a quarter of its edges drawn again."""
    rng = np.random.default_rng(seed)
    graphs, upper = [], np.triu(rng.random((points, points)) < 0.35, 1)
    for _ in range(layers):
        redrawn = rng.random((points, points)) < 0.25
        upper = np.where(redrawn, np.triu(rng.random((points, points)) < 0.35, 1), upper)
        graphs.append(upper | upper.T)
    return graphs


PATH, RING = [(n, n + 1) for n in range(5)], [*((n, n + 1) for n in range(5)), (5, 0)]


def test_a_loop_that_closes_at_a_layer_and_opens_at_another_has_one_bar() -> None:
    layers = [graph(6, *edges) for edges in (PATH, PATH, RING, RING, RING, PATH)]
    assert bars_of(*layers) == [(0, 6, 0), (2, 5, 1)]


def test_a_loop_of_one_layer_is_a_bar_of_one_layer_wherever_it_is() -> None:
    for at in range(4):
        layers = [graph(6, *(RING if layer == at else PATH)) for layer in range(4)]
        assert bars_of(*layers) == sorted([(0, 4, 0), (at, at + 1, 1)])


def test_a_triangle_is_no_loop() -> None:
    assert bars_of(*[graph(3, (0, 1), (1, 2), (0, 2))] * 2) == [(0, 2, 0)]


def test_clusters_that_merge_and_part_again_are_two_bars_beside_the_one_that_stays() -> None:
    apart, joined = graph(2), graph(2, (0, 1))
    assert bars_of(apart, apart, joined, joined, apart) == [(0, 2, 0), (0, 5, 0), (4, 5, 0)]
    assert bars_of(joined, apart, joined) == [(0, 3, 0), (1, 2, 0)], "between two layers that are joined"


def test_what_only_the_parts_in_common_have_is_no_bar() -> None:
    left, right = graph(3, (0, 1), (1, 2)), graph(3, (0, 2), (1, 2))
    assert bars_of(left, right) == [(0, 2, 0)], "their intersection has two parts, and neither layer has"


def test_one_layer_alone_has_the_betti_numbers_of_its_complex() -> None:
    assert bars_of(graph(7, *RING)) == [(0, 1, 0), (0, 1, 0), (0, 1, 1)]
    assert bars_of(graph(3)) == [(0, 1, 0)] * 3


@pytest.mark.parametrize("seed", range(20))
def test_in_each_layer_the_bars_are_its_betti_numbers(seed: int) -> None:
    layers = random_graphs(seed, points=12)
    bars = zigzag_bars(layers)
    for number, joined in enumerate(layers):
        tree = gudhi.SimplexTree()
        tree.insert_batch(np.arange(12)[None], np.zeros(12))
        tree.insert_batch(np.array(np.nonzero(np.triu(joined))), np.zeros(int(joined.sum()) // 2))
        tree.expansion(2)
        tree.compute_persistence(persistence_dim_max=True, homology_coeff_field=2)
        expected = [*tree.betti_numbers(), 0, 0][:2]
        assert [betti_numbers(effective_image(bars, 5, k))[number] for k in (0, 1)] == expected


@pytest.mark.parametrize("seed", range(20))
def test_layers_in_the_other_direction_have_the_bars_in_the_other_direction(seed: int) -> None:
    layers = random_graphs(seed)
    turned = sorted((5 - end, 5 - start, k) for start, end, k in bars_of(*layers))
    assert bars_of(*layers[::-1]) == turned


def test_the_names_of_the_points_do_not_matter() -> None:
    layers, order = random_graphs(3), np.random.default_rng(0).permutation(9)
    assert bars_of(*(joined[np.ix_(order, order)] for joined in layers)) == bars_of(*layers)


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (0, [(0, 1, 1), (0, 2, 1), (0, 5, 0), (2, 3, 1), (3, 5, 1), (4, 5, 1)]),
        (2, [(0, 1, 1), (0, 2, 0), (0, 3, 0), (0, 5, 0), (1, 4, 0), (3, 5, 1), (4, 5, 1)]),
        (3, [(0, 4, 1), (0, 5, 0), (3, 5, 1)]),
        (5, [(0, 1, 1), (0, 2, 1), (0, 5, 0), (2, 4, 1), (3, 4, 1), (3, 5, 1)]),
    ],
)
def test_the_zigzag_persistence_of_dionysus_is_the_same(seed: int, expected: list[Bar]) -> None:
    """Its `zigzag_homology_persistence` (2.1.1), which adds and removes simplex by simplex."""
    assert bars_of(*random_graphs(seed)) == expected


def test_neighbours_join_whichever_of_the_two_counts_the_other() -> None:
    line = np.array([0.0, 1.0, 3.0, 10.0])
    distances = np.abs(line[:, None] - line[None])
    assert np.array_equal(neighbor_graph(distances, 1), graph(4, (0, 1), (1, 2), (2, 3)))
    assert np.array_equal(neighbor_graph(distances, 3), ~np.eye(4, dtype=bool))
    assert neighbor_graph(np.zeros((4, 4)), 1).sum() == 2 * 3, "points in one place: the first of the others"
    for wrong in (0, 4):
        with pytest.raises(ValueError, match=f"neighbors={wrong}: each of 4 points has 3 others"):
            neighbor_graph(distances, wrong)


def test_the_descriptors_are_those_of_the_paper() -> None:
    image = effective_image(np.array([(0, 1, 1), (0, 3, 1), (1, 3, 1), (1, 3, 1), (0, 3, 0)]), 3, 1)
    assert image.tolist() == [[0, 1, 0, 1], [0, 0, 0, 2], [0, 0, 0, 0]]
    assert births_frequency(image).tolist() == [0.5, 0.5, 0]
    assert betti_numbers(image).tolist() == [2, 3, 3]
    # Of the 2 bars of the first layer 1 is in the second and 1 in the third; of the 3 of the second 1 and 3; ...
    assert np.allclose(layer_persistence(image), [(1 / 2 + 1 / 2) / 2, (1 / 3 + 3 / 3) / 2, (1 / 3 + 3 / 3) / 2])


def test_without_a_bar_nothing_is_defined() -> None:
    image = effective_image(np.empty((0, 3), dtype=np.int64), 3, 1)
    assert np.isnan(births_frequency(image)).all()
    assert np.isnan(layer_persistence(image)).all()
    assert betti_numbers(image).tolist() == [0, 0, 0]
    assert np.isnan(layer_persistence(effective_image(np.array([(0, 1, 1)]), 1, 1))).all(), "no other layer"
