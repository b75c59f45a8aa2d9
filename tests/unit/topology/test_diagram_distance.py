"""Distances between diagrams, by hand and by optimal transport."""

from __future__ import annotations

import math

import numpy as np
import ot
import pytest
from scipy.spatial.distance import cdist

from src.topology import compute_diagram, diagram_distance

RNG = np.random.default_rng(0)


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


def test_an_endless_bar_has_no_distance() -> None:
    endless = np.array([[0.0, np.inf, 0.0]])
    with pytest.raises(ValueError, match="no end"):
        diagram_distance(endless, endless, 0)


def noisy_diagrams(unit: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 5))
    scale = [unit, unit, 1]
    return compute_diagram(x) * scale, compute_diagram(x + 0.05 * rng.normal(size=x.shape)) * scale


@pytest.mark.parametrize("dimension", [0, 1])
@pytest.mark.parametrize("unit", [1.0, 1e-30, 1e30, 1e-300, 1e300])
def test_a_higher_order_comes_down_to_the_bottleneck_distance(dimension: int, unit: float) -> None:
    a, b = noisy_diagrams(unit)
    found = [diagram_distance(a, b, dimension, order) / unit for order in (1, 2, 8, 32, 64, np.inf)]
    assert found == sorted(found, reverse=True)
    assert found[-1] <= found[-2] <= found[-1] * len(a) ** (1 / 64)
    plain = [diagram_distance(*noisy_diagrams(), dimension, order) for order in (1, 2, 8, 32, 64, np.inf)]
    assert found == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("order", [0.5, 0, -1, 65, math.nan, -math.inf])
def test_an_order_without_a_distance_is_refused(order: float) -> None:
    with pytest.raises(ValueError, match="give a number from 1 to 64, or"):
        diagram_distance(*noisy_diagrams(), 0, order)


@pytest.mark.parametrize("dimension", [-1, 0.5, None, "0"])
def test_a_dimension_is_a_whole_number_from_0(dimension: int) -> None:
    with pytest.raises(ValueError, match="dimension="):
        diagram_distance(*noisy_diagrams(), dimension)


def test_what_is_no_diagram_is_named() -> None:
    a, b = noisy_diagrams()
    with pytest.raises(ValueError, match="b has shape"):
        diagram_distance(a, b[:, :2], 0)
    with pytest.raises(ValueError, match="a holds complex numbers"):
        diagram_distance(a * 1j, b, 0)
