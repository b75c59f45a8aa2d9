"""Known answers, closed forms and invariances."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import ot
import pytest
from gudhi.wasserstein import wasserstein_distance
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import cdist
from scipy.stats import special_ortho_group

from src.topology import compute_diagram, diagram_distance, summarize
from src.topology.distances import median_distance, pairwise_distances
from src.topology.homology import apply_transformer

RNG = np.random.default_rng(0)


def circle(n: int = 100, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angles), np.sin(angles)]) + noise * rng.normal(size=(n, 2))


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
    ],
)
def test_wrong_input_is_refused(x: np.ndarray, metric: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compute_diagram(x, metric=metric)


def test_coinciding_points_have_no_bars() -> None:
    assert compute_diagram(np.ones((10, 4))).shape == (0, 3)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 300.0])
def test_distances_are_accurate_where_a_gram_matrix_is_not(scale: float) -> None:
    x = RNG.normal(size=(60, 200)).astype(np.float32) * scale
    x[:, 7] += 3000 * scale  # a massive dimension
    x[30:40] = x[20:30] + 1e-5 * scale * RNG.normal(size=(10, 200)).astype(np.float32)  # near-duplicates
    x[50] = x[0]
    exact = np.sqrt(((x[:, None].astype(np.float64) - x[None].astype(np.float64)) ** 2).sum(-1))
    ours = pairwise_distances(x)
    off = ~np.eye(60, dtype=bool) & (exact > 0)
    assert (np.abs(ours - exact)[off] / exact[off]).max() < 1e-6
    assert ours[50, 0] == 0
    assert np.array_equal(ours, ours.T)
    assert not np.diagonal(ours).any()


def test_cosine_is_one_minus_the_cosine() -> None:
    x = RNG.normal(size=(20, 5))
    assert np.allclose(pairwise_distances(x, "cosine"), cdist(x, x, "cosine"), atol=1e-12)


def test_scale_is_the_median_over_pairs() -> None:
    assert median_distance(pairwise_distances(np.array([[0.0], [1.0], [10.0]]))) == 9.0


def test_summaries_have_their_closed_forms() -> None:
    diagram = np.array([[0, 1, 0], [0, 1, 0], [0, 2, 0], [3, 4, 1]], dtype=float)
    values = summarize(diagram, 0)
    assert values["n_bars"] == 3
    assert values["total_persistence"] == 4
    assert values["max_persistence"] == 2
    assert math.isclose(values["mean_death"], 4 / 3)
    assert math.isclose(values["entropy"], 1.5)
    assert math.isclose(values["normalized_entropy"], 1.5 / math.log2(3))
    assert values["betti_max"] == 3
    one = summarize(diagram, 1)
    assert one["mean_birth"] == 3
    assert "normalized_entropy" not in one, "log2(1) is no denominator"
    assert summarize(diagram, 2) == {"n_bars": 0, "total_persistence": 0, "betti_max": 0}


def test_bars_that_meet_end_to_end_are_never_alive_at_once() -> None:
    assert summarize(np.array([[0, 1, 1], [1, 2, 1], [2, 3, 1]], dtype=float), 1)["betti_max"] == 1


@given(arrays.arrays(np.float64, (7, 2), elements=st.floats(0, 10)))
@settings(max_examples=50)
def test_summaries_of_any_diagram_are_finite(pairs: np.ndarray) -> None:
    bars = np.sort(pairs, axis=1)
    bars = bars[bars[:, 1] > bars[:, 0]]
    values = summarize(np.column_stack([bars, np.ones(len(bars))]), 1)
    assert all(math.isfinite(value) for value in values.values())
    assert 0 <= values.get("normalized_entropy", 0) <= 1 + 1e-12


def test_distances_between_diagrams_by_hand() -> None:
    a = np.array([[0.0, 4.0, 1]])
    b = np.array([[1.0, 4.5, 1], [0.0, 1.0, 1]])
    # Match the long bars at cost 1; the short one goes to the diagonal at half its length.
    assert math.isclose(diagram_distance(a, b, 1), 1.5)
    assert math.isclose(diagram_distance(a, b, 1, np.inf), 1.0)
    assert math.isclose(diagram_distance(a, b, 1, 2), math.sqrt(1.25))
    assert diagram_distance(a, b, 0) == 0
    assert math.isclose(diagram_distance(a, b[:0], 1), 2)


@pytest.mark.parametrize("sizes", [(30, 30), (40, 13), (1, 25), (0, 9)])
@pytest.mark.parametrize("order", [1, 2])
def test_distances_agree_with_optimal_transport(sizes: tuple[int, int], order: int) -> None:
    def random_bars(n: int) -> np.ndarray:
        births = RNG.random(n)
        return np.column_stack([births, births + RNG.random(n) + 0.01])

    a, b = map(random_bars, sizes)
    to_diagonal = [(d[:, 1] - d[:, 0]) / 2 for d in (a, b)]
    cost = np.zeros((len(a) + len(b),) * 2)
    cost[: len(a), : len(b)] = cdist(a, b, "chebyshev") if len(a) else 0
    cost[: len(a), len(b) :] = to_diagonal[0][:, None]
    cost[len(a) :, : len(b)] = to_diagonal[1][None, :]
    weights = np.full(len(cost), 1 / len(cost))
    expected = (ot.emd2(weights, weights, cost**order) * len(cost)) ** (1 / order)
    ours = diagram_distance(*(np.column_stack([d, np.ones(len(d))]) for d in (a, b)), 1, order)
    assert math.isclose(ours, expected, rel_tol=1e-9)


@given(
    sizes=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    seed=st.integers(0, 10**6),
    order=st.sampled_from([1, 2, 3]),
)
@settings(max_examples=100)
def test_the_alignment_of_h0_bars_is_the_general_matching(sizes: tuple[int, int], seed: int, order: int) -> None:
    """Against POT's network simplex, which knows nothing of births at 0."""
    rng = np.random.default_rng(seed)
    bars = [np.column_stack([np.zeros(n), rng.gamma(2, 1, n), np.zeros(n)]) for n in sizes]
    if min(sizes) and seed % 2:
        shared = min(sizes) // 2  # ties
        bars[0][:shared] = bars[1][:shared]
    expected = wasserstein_distance(bars[0][:, :2], bars[1][:, :2], order=order, internal_p=np.inf)
    assert diagram_distance(*bars, 0, order) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_an_endless_bar_has_no_distance() -> None:
    endless = np.array([[0.0, np.inf, 0.0]])
    with pytest.raises(ValueError, match="no end"):
        diagram_distance(endless, endless, 0)


@given(seed=st.integers(0, 10**6), metric=st.sampled_from(["euclidean", "cosine"]))
@settings(max_examples=60)
def test_distances_keep_six_digits_beside_massive_dimensions_and_near_duplicates(seed: int, metric: str) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 32))
    x[:, :2] *= 10.0 ** rng.integers(0, 5, size=2)
    x[:, 3] += 10.0 ** rng.integers(0, 5)
    x[20:30] = x[:10] + 10.0 ** -rng.integers(1, 9, size=(10, 1)) * rng.normal(size=(10, 32))
    found = pairwise_distances(x, metric)
    points = x / np.linalg.norm(x, axis=1, keepdims=True) if metric == "cosine" else x
    direct = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    direct = direct**2 / 2 if metric == "cosine" else direct
    assert np.allclose(found, direct, rtol=1e-6, atol=0)
