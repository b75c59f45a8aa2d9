"""Persistence diagrams: known answers, published bars, invariances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import special_ortho_group

from src.topology import compute_diagram, diagram_distance, summarize
from src.topology.distances import median_distance, pairwise_distances
from src.topology.homology import apply_transformer
from tests.support.builders import circle
from tests.support.giotto import LIBRARIES, needs_giotto

RNG = np.random.default_rng(0)


def lengths(diagram: np.ndarray, dimension: int) -> np.ndarray:
    bars = diagram[diagram[:, 2] == dimension]
    return np.sort(bars[:, 1] - bars[:, 0])[::-1]


def test_a_noisy_circle_has_one_long_h1_bar() -> None:
    bars = lengths(compute_diagram(circle()), 1)
    assert bars[0] > 1.0
    assert bars[1:].max(initial=0) < 0.15


def test_two_clusters_have_one_long_h0_bar() -> None:
    x = np.concatenate([RNG.normal(size=(20, 3)), RNG.normal(size=(20, 3)) + 50])
    bars = lengths(compute_diagram(x), 0)
    assert len(bars) == 39, "n - 1 bars; the one that never dies is dropped"
    assert bars[0] > 40 > 5 > bars[1]


@pytest.mark.parametrize(("coefficient", "bars"), [(2, 1), (3, 0)])
def test_the_projective_plane_has_torsion(shared_data: Path, coefficient: int, bars: int) -> None:
    distances = np.loadtxt(shared_data / "homology" / "projective_plane.csv", delimiter=",")
    diagram = compute_diagram(distances, 2, "precomputed", coefficient=coefficient)
    for dimension in (1, 2):
        assert diagram[diagram[:, 2] == dimension].tolist() == [[1, 2, dimension]] * bars
    if coefficient == 2:
        ours = compute_diagram(distances, 1, "precomputed", engine="reduced_rips")
        assert ours[ours[:, 2] == 1].tolist() == [[1, 2, 1]]


def test_the_sphere_has_one_dominant_h2_bar(shared_data: Path) -> None:
    lower = (shared_data / "homology" / "sphere_3_192.lower_distance_matrix").read_text()
    distances = np.zeros((192, 192))
    distances[np.tril_indices(192, k=-1)] = [float(value) for value in lower.replace(",", " ").split()]
    bars = lengths(compute_diagram(distances + distances.T, 2, "precomputed"), 2)
    assert bars[0] > 5 * bars[1:].max(initial=0)


def test_the_torus_matches_its_published_bars(shared_data: Path) -> None:
    lines = (shared_data / "homology" / "tore3D_1307.off").read_text().split("\n")
    count = int(lines[1].split()[0])
    points = np.array([line.split() for line in lines[2:] if line.strip()][:count], dtype=float)
    published = np.array(
        [
            [float(value) for value in line.split()[-3:]]
            for line in (shared_data / "homology" / "rips_on_tore3D_1307.pers").read_text().splitlines()
        ]
    )
    diagram = compute_diagram(points, 2, max_length=0.25, coefficient=3, essential=True)
    # A torus has no torsion: over Z/2, which is all that the other engine knows, its bars are the same.
    by_lunes = compute_diagram(points, 1, max_length=0.25, essential=True, engine="reduced_rips")
    assert np.array_equal(by_lunes, diagram[diagram[:, 2] < 2])
    for dimension, expected in ((0, 1307), (1, 736), (2, 1)):
        ours = diagram[diagram[:, 2] == dimension, :2]
        theirs = published[published[:, 0] == dimension, 1:]
        assert len(ours) == len(theirs) == expected
        endless = np.isinf(ours[:, 1])
        assert np.allclose(np.sort(ours[endless, 0]), np.sort(theirs[np.isinf(theirs[:, 1]), 0]), atol=1e-6)
        # Births are rounded to six digits and tie, so bars are matched, not sorted.
        cost = cdist(ours[~endless], theirs[~np.isinf(theirs[:, 1])], "chebyshev")
        if cost.size:
            weights = np.full(len(cost), 1 / len(cost))
            assert (ot.emd(weights, weights, cost) * len(cost) * cost).max() < 1e-5


@needs_giotto
def test_the_transformer_of_giotto_tda_gives_the_same_bars() -> None:
    from gtda.homology import VietorisRipsPersistence

    distances = pairwise_distances(circle())
    ours = compute_diagram(distances, metric="precomputed")
    theirs = apply_transformer(VietorisRipsPersistence(metric="precomputed"), distances)
    assert np.array_equal(ours, theirs)


@given(seed=st.integers(0, 10_000), factor=st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_shape_is_blind_to_rotation_translation_and_scale(seed: int, factor: float) -> None:
    x = np.random.default_rng(seed).normal(size=(40, 6))
    moved = factor * (x @ special_ortho_group.rvs(6, random_state=seed)) + np.arange(6)
    shapes = []
    for cloud in (x, moved):
        distances = pairwise_distances(cloud)
        diagram = compute_diagram(distances, metric="precomputed")
        shapes.append(diagram / [median_distance(distances), median_distance(distances), 1])
    for dimension in (0, 1):
        total = summarize(shapes[0], dimension)["total_persistence"]
        assert diagram_distance(*shapes, dimension) <= 1e-6 * max(total, 1)


@pytest.mark.parametrize(
    ("x", "metric", "words"),
    [
        (np.full((5, 2), np.nan), "euclidean", "not finite"),
        (np.zeros((2, 2)), "euclidean", "at least 3"),
        (np.zeros((5, 2)), "manhattan", "metric=manhattan"),
        (np.zeros((5, 2)), "cosine", "zero"),
        (np.full((4, 4), np.nan), "precomputed", "not finite"),
        (np.ones((4, 4)), "precomputed", "diagonal"),
        (np.triu(np.ones((4, 4)), 1), "precomputed", "symmetric"),
        (np.zeros((4, 3)), "precomputed", "square"),
        (np.eye(4) - 1, "precomputed", "negative"),
        (np.zeros(4), "euclidean", "shape"),
        (np.zeros((4, 0)), "euclidean", "shape"),
        (np.zeros((0, 3)), "euclidean", "at least 3"),
        (np.zeros((0, 0)), "precomputed", "at least 3"),
        (np.ones((4, 2)) * 1j, "euclidean", "complex"),
        (np.zeros((4, 4)) * 1j, "precomputed", "complex"),
    ],
)
def test_wrong_input_is_refused(x: np.ndarray, metric: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compute_diagram(x, metric=metric)


def test_coinciding_points_have_no_bars() -> None:
    assert compute_diagram(np.ones((10, 4))).shape == (0, 3)


@pytest.mark.parametrize("factor", [2.0**-140, 1e-40, 1e-200, 1e-300, 1e40, 1e200, 1e300])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed"])
def test_a_cloud_in_another_unit_has_the_same_diagram(factor: float, metric: str) -> None:
    x = np.random.default_rng(0).normal(size=(40, 5))
    x, unit = (pairwise_distances(x) if metric == "precomputed" else x), 1 if metric == "cosine" else factor
    expected, found = (compute_diagram(cloud, metric=metric) for cloud in (x, x * factor))
    np.testing.assert_allclose(found / [unit, unit, 1], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("engine", [*LIBRARIES, "reduced_rips"])
def test_a_longest_edge_has_the_unit_of_the_distances(engine: str) -> None:
    x = np.random.default_rng(0).normal(size=(12, 3))
    for unit in (1.0, 2.0**-900, 2.0**900):
        found = [compute_diagram(x * unit, 1, max_length=length * unit, engine=engine) for length in (0, 1, 1e3)]
        assert not len(found[0])
        assert np.array_equal(found[1] / [unit, unit, 1], compute_diagram(x, 1, max_length=1))
        assert np.array_equal(found[2], compute_diagram(x * unit, 1))
    assert np.array_equal(compute_diagram(x, max_length=1e300, engine=engine), compute_diagram(x))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"max_length": np.nan}, "max_length=nan: at least 0, or numpy.inf for no limit"),
        ({"max_length": -1}, "max_length=-1.0: at least 0"),
        ({"max_length": "long"}, "max_length='long': not a number"),
        ({"max_length": None}, "max_length=None: not a number"),
        ({"essential": "no"}, "essential='no': give True or False"),
        ({"max_length": [1, 2]}, "give one number"),
        ({"max_dimension": -1}, "max_dimension=-1: at least 0"),
        ({"max_dimension": 1.0}, "max_dimension=1.0: not a whole number"),
        ({"coefficient": 4}, "coefficient=4: give a prime up to 127"),
        ({"coefficient": 131, "max_dimension": 0}, "coefficient=131: give a prime up to 127"),
        ({"metric": None}, "metric=None: use one of"),
    ],
)
@pytest.mark.parametrize("engine", ["auto", *LIBRARIES, "reduced_rips"])
def test_a_number_out_of_range_is_refused_by_every_engine(words: dict[str, Any], message: str, engine: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute_diagram(circle(), engine=engine, **words)
