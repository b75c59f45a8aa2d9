"""The engines give the same bars, bit for bit, on every kind of cloud; and what one cannot do another does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.config import RequestError
from src.config.resolve import resolve_config
from src.measure.layer_diagrams import compute_layer_diagram
from src.topology import compute_diagram
from src.topology.distances import pairwise_distances
from src.topology.reduced_rips import TooMuch, component_and_loop_bars
from tests.support.builders import activation_like, composed
from tests.support.giotto import HAS_GIOTTO, LIBRARIES


def with_sinks(rng: np.random.Generator, n: int) -> np.ndarray:
    x = activation_like(rng, n)
    x[: 1 + n // 20] *= 50
    return x


def random_distances(rng: np.random.Generator, n: int) -> np.ndarray:
    upper = np.triu(rng.integers(100, 200, size=(n, n)) / 100, 1)
    return upper + upper.T


CLOUDS = {
    "random": lambda rng, n: rng.normal(size=(n, rng.integers(1, 30))),
    "clustered": lambda rng, n: rng.normal(size=(n, 5)) + 20 * rng.integers(0, 3, size=(n, 1)),
    "gridded": lambda rng, n: rng.integers(0, 6, size=(n, 2)).astype(float),
    "corners": lambda rng, n: rng.choice([-1.0, 1.0], size=(n, 8)),
    "circle": lambda rng, n: np.exp(2j * np.pi * np.arange(n) / n).view(float).reshape(n, 2),
    "duplicated": lambda rng, n: rng.normal(size=(n, 4))[rng.integers(0, n, n)],
    "near-duplicated": lambda rng, n: rng.normal(size=(n, 4))[rng.integers(0, n, n)] + 1e-7 * rng.normal(size=(n, 4)),
    "with sinks": with_sinks,
    "activation-like": activation_like,
    "one place": lambda rng, n: np.ones((n, 3)),
}


def check_engines(distances: np.ndarray, **options: object) -> None:
    """All engines give the same bars."""
    ours, *theirs = (
        compute_diagram(distances, metric="precomputed", engine=engine, **options)  # type: ignore[arg-type]
        for engine in ("reduced_rips", *LIBRARIES)
    )
    assert all(np.array_equal(ours, found) for found in theirs)


@given(kind=st.sampled_from(sorted(CLOUDS)), n=st.integers(3, 50), seed=st.integers(0, 10**6))
@settings(max_examples=600)
def test_the_engines_agree_bit_for_bit(kind: str, n: int, seed: int) -> None:
    check_engines(pairwise_distances(CLOUDS[kind](np.random.default_rng(seed), n)))


@given(n=st.integers(3, 30), seed=st.integers(0, 10**6), share=st.floats(0, 1), top=st.integers(0, 1))
@settings(max_examples=200)
def test_they_agree_under_a_length_bound_with_endless_bars(n: int, seed: int, share: float, top: int) -> None:
    """Distances with many ties and no geometry, cut off anywhere."""
    distances = random_distances(np.random.default_rng(seed), n)
    bound = float(np.quantile(distances, share))
    check_engines(distances, max_length=bound, essential=True, max_dimension=top)


@pytest.mark.parametrize("kind", sorted(set(CLOUDS) - {"one place"}))
def test_they_agree_on_clouds_of_the_usual_size(kind: str) -> None:
    check_engines(pairwise_distances(CLOUDS[kind](np.random.default_rng(0), 256)))


@pytest.mark.parametrize("bound", ["memory", "work"])
def test_the_guard_leaves_where_a_bound_is_exceeded(bound: str) -> None:
    distances = pairwise_distances(np.random.default_rng(0).normal(size=(60, 20))).astype(np.float32)
    with pytest.raises(TooMuch):
        component_and_loop_bars(distances, **{bound: 0})


def test_distances_without_geometry_exceed_the_usual_bound() -> None:
    """Some 100,000 bars; giotto-ph, which would take over, needs hours."""
    upper = np.triu(np.random.default_rng(0).uniform(1, 2, size=(4096, 4096)), 1)
    with pytest.raises(ValueError, match=r"engine=reduced_rips: .* of these 4096"):
        compute_diagram(upper + upper.T, metric="precomputed", engine="reduced_rips")


@pytest.mark.parametrize("options", [{"max_dimension": 2}, {"coefficient": 3}, {"coefficient": 127}])
def test_what_ours_cannot_do_is_done_by_a_library_or_refused(options: dict) -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    found = [compute_diagram(x, engine=engine, **options) for engine in ("auto", *LIBRARIES)]
    assert all(np.array_equal(found[0], each) for each in found)
    with pytest.raises(ValueError, match="engine=reduced_rips"):
        compute_diagram(x, engine="reduced_rips", **options)
    with pytest.raises(ValueError, match="engine=fast: use one of auto"):
        compute_diagram(x, engine="fast")


@pytest.mark.parametrize("dimensions", ["[0,1]", "[1]", "[0]"])
def test_a_run_gets_the_same_shape_from_every_engine(dimensions: str) -> None:
    x = activation_like(np.random.default_rng(0), 50)
    shapes = []
    for engine in ("auto", *LIBRARIES, "reduced_rips"):
        words = (f"tda.engine={engine}", f"tda.transformer.homology_dimensions={dimensions}")
        tda = resolve_config(composed(*words)).tda
        shapes.append(compute_layer_diagram(x, x, tda))
    assert all(np.array_equal(shape.diagram, shapes[0].diagram) for shape in shapes)
    assert len(shapes[0].diagram)


@pytest.mark.parametrize("method", ["h2", "cech"])
def test_an_engine_that_cannot_compute_the_method_is_refused(method: str) -> None:
    with pytest.raises(RequestError, match=f"tda.engine=reduced_rips: computes H0 and H1 of plain Rips.*not {method}"):
        resolve_config(composed(f"tda={method}", "tda.engine=reduced_rips"))


@pytest.mark.skipif(HAS_GIOTTO, reason="giotto-tda is installed")
def test_without_giotto_its_engine_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="engine=giotto: giotto-ph is not installed"):
        compute_diagram(np.eye(4), engine="giotto")
