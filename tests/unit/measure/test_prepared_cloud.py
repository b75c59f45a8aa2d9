"""Methods that cannot make a diagram are refused before anything starts."""

from __future__ import annotations

import pytest

from src.config import RequestError
from src.measure.prepared_cloud import check_transformer
from tests.support.builders import method_of
from tests.support.giotto import needs_giotto


@needs_giotto
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


@needs_giotto
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
