"""Every shipped TDA method on a planted loop."""

from __future__ import annotations

import numpy as np
import pytest

from src.measure.layer_diagrams import compute_layer_diagram
from src.measure.prepared_cloud import check_transformer
from tests.support.builders import circle, method_of, options
from tests.support.giotto import HAS_GIOTTO, WITHOUT_GIOTTO, needs_giotto

METHODS = [m for m in options("tda") if m != "none" and (HAS_GIOTTO or m in WITHOUT_GIOTTO)]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_finds_the_one_loop_of_a_circle(name: str) -> None:
    tda = method_of(name)
    check_transformer(tda, 256)
    check_transformer(method_of(name, "tda.components=5"), 256)
    x = circle(60, 10, 0.02, even=False)
    shape = compute_layer_diagram(x, x, tda)
    lengths = np.sort(np.diff(shape.diagram[shape.diagram[:, 2] == 1, :2], axis=1)[:, 0])
    assert len(lengths), shape.diagram
    assert lengths[-1] > 0.3
    assert len(lengths) == 1 or lengths[-1] > 3 * lengths[-2]
    assert (shape.diagram[:, 2] == 0).sum() == 59
    assert shape.explained == 1 if tda.components is None else 0.9 < shape.explained < 1


@needs_giotto
def test_flagser_is_a_second_opinion_on_rips() -> None:
    x = np.random.default_rng(1).normal(size=(40, 3))
    ours, theirs = (compute_layer_diagram(x, x, tda) for tda in map(method_of, ("h2", "flagser")))
    known = ours.diagram[ours.diagram[:, 2] < 2]
    assert np.allclose(known, theirs.diagram, rtol=1e-6)
