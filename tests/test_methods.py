"""Every shipped TDA method on planted shapes, and one that a user drops in."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from src.clouds.prepare import prepare_points
from src.config import RequestError, TdaConfig
from src.config.memory import diagram_memory_gb, max_points
from src.config.resolve import resolve_config
from src.measure.layer_diagrams import compute_layer_diagram
from src.measure.prepared_cloud import check_transformer
from src.topology.cech import CechPersistence

from .conftest import run_module
from .test_config import composed, options
from .test_run import run_cell

METHODS = [method for method in options("tda") if method != "none"]


def method_of(name: str, *overrides: str) -> TdaConfig:
    return resolve_config(composed(f"tda={name}", *overrides)).tda


def circle(n: int = 60, width: int = 10, noise: float = 0.02) -> np.ndarray:
    """A noisy circle turned into `width` dimensions."""
    rng = np.random.default_rng(0)
    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    plane = np.linalg.qr(rng.normal(size=(width, 2)))[0]
    return np.column_stack([np.cos(angle), np.sin(angle)]) @ plane.T + noise * rng.normal(size=(n, width))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_finds_the_one_loop_of_a_circle(name: str) -> None:
    tda = method_of(name)
    check_transformer(tda, 256)
    check_transformer(method_of(name, "tda.components=5"), 256)
    x = circle()
    shape = compute_layer_diagram(x, x, tda)
    lengths = np.sort(np.diff(shape.diagram[shape.diagram[:, 2] == 1, :2], axis=1)[:, 0])
    assert len(lengths), shape.diagram
    assert lengths[-1] > 0.3
    assert len(lengths) == 1 or lengths[-1] > 3 * lengths[-2]
    assert (shape.diagram[:, 2] == 0).sum() == 59
    assert shape.explained == 1 if tda.components is None else 0.9 < shape.explained < 1


def test_flagser_is_a_second_opinion_on_rips() -> None:
    x = np.random.default_rng(1).normal(size=(40, 3))
    ours, theirs = (compute_layer_diagram(x, x, tda) for tda in map(method_of, ("h2", "flagser")))
    known = ours.diagram[ours.diagram[:, 2] < 2]
    assert np.allclose(known, theirs.diagram, rtol=1e-6)


def enclosing_radius(points: np.ndarray) -> float:
    """Radius of the smallest ball around a few points: of all balls through some of them that hold the others too."""
    best = np.inf
    for count in range(1, 5):
        for part in itertools.combinations(points, min(count, len(points))):
            first, rest = part[0], np.array(part[1:])
            centre = first
            if len(rest):
                sides = 2 * (rest - first)
                right = (rest**2).sum(1) - first @ first - sides @ first
                centre = first + np.linalg.lstsq(sides, right, rcond=None)[0]
            reach = np.linalg.norm(points - centre, axis=1).max()
            if np.isclose(reach, np.linalg.norm(first - centre), atol=1e-12):
                best = min(best, reach)
    return float(best)


@pytest.mark.parametrize("seed", range(3))
def test_cech_equals_the_definition(seed: int) -> None:
    """Every simplex enters at the radius of its smallest enclosing ball."""
    import gudhi

    x = np.random.default_rng(seed).normal(size=(9, 3))
    tree = gudhi.SimplexTree()
    for size in (1, 2, 3):
        for part in itertools.combinations(range(9), size):
            tree.insert(list(part), enclosing_radius(x[list(part)]))
    tree.compute_persistence()
    loops = tree.persistence_intervals_in_dimension(1)
    found = CechPersistence().fit_transform(x[None])[0]
    found = found[(found[:, 2] == 1) & (found[:, 1] - found[:, 0] > 1e-9), :2]
    expected = loops[loops[:, 1] - loops[:, 0] > 1e-9]
    assert np.allclose(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)])


def test_cech_of_a_triangle_is_known() -> None:
    triangle = np.array([[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(3) / 2, 0]], dtype=float)[:, :2]
    found = CechPersistence().fit_transform(triangle[None])[0]
    assert np.allclose(found, [[0, 0.5, 0], [0, 0.5, 0], [0.5, 1 / np.sqrt(3), 1]])


@pytest.mark.filterwarnings("ignore:Input array X has X.shape")
def test_why_giottos_own_cech_is_not_used() -> None:
    """Should a later giotto-tda agree with the definition, ours can go."""
    from gtda.homology import EuclideanCechPersistence

    x = np.random.default_rng(0).normal(size=(9, 3))
    theirs = EuclideanCechPersistence().fit_transform(x[None])[0]
    longest = np.diff(theirs[theirs[:, 2] == 1, :2], axis=1).max()
    ours = CechPersistence().fit_transform(x[None])[0]
    assert longest > 2 * np.diff(ours[ours[:, 2] == 1, :2], axis=1).max()


def test_the_projection_is_fitted_on_step_0_and_frozen() -> None:
    rng = np.random.default_rng(0)
    base, moved = rng.normal(size=(2, 50, 12)) * np.arange(12, 0, -1)
    here, explained = prepare_points(base, base, metric="euclidean", points=None, components=3)
    pca = PCA(3).fit(base)
    assert np.allclose(np.abs(here), np.abs(pca.transform(base)))
    assert np.isclose(explained, pca.explained_variance_ratio_.sum())
    later, less = prepare_points(moved, base, metric="euclidean", points=None, components=3)
    assert np.allclose(np.abs(later), np.abs(pca.transform(moved)))
    assert less < explained
    with pytest.raises(ValueError, match="components=13"):
        prepare_points(base, base, metric="euclidean", points=None, components=13)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["tda.transformer._target_=gtda.homology.SparseRip"], "SparseRip"),
        (["+tda.transformer.epsilo=0.2"], "epsilo"),
        (["tda.transformer.metric=nonsense"], "nonsense"),
        (["tda.transformer._target_=sklearn.decomposition.PCA"], "PCA"),
    ],
)
def test_a_method_that_makes_no_diagram_is_refused_before_anything_starts(words: list[str], named: str) -> None:
    with pytest.raises(RequestError, match=named) as caught:
        check_transformer(method_of("vietoris_rips", *words), 256)
    assert len(str(caught.value)) < 400


def test_a_method_that_cannot_do_a_random_half_is_refused_before_anything_starts() -> None:
    words = (
        "tda.transformer._target_=sklearn.pipeline.make_pipeline", "~tda.transformer.metric",
        "+tda.transformer._args_=[{_target_: gtda.graphs.KNeighborsGraph, n_neighbors: 8, mode: distance},"
        "{_target_: gtda.graphs.GraphGeodesicDistance},"
        "{_target_: gtda.homology.VietorisRipsPersistence, metric: precomputed}]",
        "tda.takes=points", "~tda.transformer.homology_dimensions",
    )  # fmt: skip
    tda = method_of("vietoris_rips", *words, "tda.subsamples=2")
    check_transformer(tda, 24)
    with pytest.raises(RequestError, match=r"no diagram of 8 points .* a random half of 16 .* tda\.subsamples"):
        check_transformer(tda, 16)
    check_transformer(method_of("vietoris_rips", *words, "tda.subsamples=0"), 16)


def test_a_target_hidden_inside_is_held_to_the_whitelist() -> None:
    inside = "+tda.transformer._args_=[{_target_: os.system}]"
    with pytest.raises(RequestError, match=r"os\.system: must begin with"):
        method_of("vietoris_rips", "tda.transformer._target_=sklearn.pipeline.make_pipeline", inside)


def test_memory_grows_with_points_and_dimension_and_says_what_fits() -> None:
    for k in (0, 1, 2):
        fit = max_points(4.0, k)
        assert diagram_memory_gb(fit, k) <= 4.0 < diagram_memory_gb(fit + 1, k)
    assert max_points(4.0, 2) < max_points(4.0, 1) < max_points(4.0, 0)


GEODESIC = """\
name: geodesic
transformer:
  _target_: sklearn.pipeline.make_pipeline
  _args_:
    - _target_: gtda.graphs.KNeighborsGraph
      n_neighbors: 8
      mode: distance
    - _target_: gtda.graphs.GraphGeodesicDistance
    - _target_: gtda.homology.VietorisRipsPersistence
      metric: precomputed
      homology_dimensions: [0, 1]
"""


@pytest.mark.slow
def test_a_users_own_method_runs_by_its_name(tmp_path: Path) -> None:
    """The README's example: geodesic distances along the neighbourhood graph, then Rips."""
    (tmp_path / "mine" / "tda").mkdir(parents=True)
    (tmp_path / "mine" / "tda" / "geodesic.yaml").write_text(GEODESIC)
    cell = run_cell(tmp_path, "trainer.max_steps=6", "schedule.late=2", "schedule.early=2")
    words = ["--config-dir", "mine", f"run={cell.run.path}", "tda=geodesic"]
    done = run_module("src.analyze", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    own = pd.read_parquet(next((cell.run.path / "analysis").glob("geodesic-*/topology.parquet")))
    usual = pd.read_parquet(cell.run.table)
    persistence = "quantity == 'topology/total_persistence' and layer == 'mean' and dimension == 1 and step == 0"
    assert own.query(persistence).value.item() > usual.query(persistence).value.item()
    words = [f"run={cell.run.path}", "tda.name=sparse", "tda.transformer._target_=gtda.homology.SparseRipsPersistence"]
    done = run_module("src.analyze", *words, "+tda.transformer.epsilon=0.2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((cell.run.path / "analysis").glob("sparse-*/topology.parquet"))
