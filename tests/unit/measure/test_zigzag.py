"""All layers of a checkpoint, measured in a worker."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from src.clouds.store import write_clouds
from src.measure.checkpoint import Job, discard_damaged_results
from src.measure.layer import CheckpointSteps
from src.measure.layer_diagrams import read_layer_diagrams
from src.measure.zigzag import LayerImages
from src.rundir import RunDirectory
from src.system.files import DamagedError
from src.topology import diagram_distance
from tests.support.builders import RIPS, circle
from tests.support.measuring import Measure

LAYERS = ["layer_01", "layer_02", "layer_03", "layer_04"]
TDA = replace(RIPS, neighbors=4)


def arc(opening: float) -> np.ndarray:
    """40 points of a circle with a gap, all in order."""
    angle = np.linspace(0, 2 * np.pi - opening, 40)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def planted(folder: Path) -> RunDirectory:
    """A circle that closes at the third layer, at step 0; all closed at step 1."""
    run, closed = RunDirectory(folder), circle(40, 2, 0.0).astype(np.float32)
    for step, opened in ((0, 2), (1, 0)):
        clouds = {name: arc(2.0) if number < opened else closed for number, name in enumerate(LAYERS)}
        write_clouds(run.clouds(step), clouds, step=step, probe_hash="x")
    return run


def test_a_loop_is_born_at_the_layer_that_closes_it(tmp_path: Path, measure: Measure) -> None:
    run = planted(tmp_path)
    metrics = measure(run, 0, (0, 1), tda=TDA)
    assert [metrics[f"zigzag/H1/births/{layer}"] for layer in LAYERS] == [0, 0, 1, 0]
    assert [metrics[f"zigzag/H1/betti/{layer}"] for layer in LAYERS] == [0, 0, 1, 1]
    assert [metrics[f"zigzag/H0/births/{layer}"] for layer in LAYERS] == [1, 0, 0, 0]
    assert [metrics[f"zigzag/H0/persistence/{layer}"] for layer in LAYERS] == [1, 1, 1, 1]
    # Of three other layers one has the loop; where there is none, no share of it is defined.
    assert [metrics.get(f"zigzag/H1/persistence/{layer}") for layer in LAYERS] == [None, None, 1 / 3, 1 / 3]
    assert metrics["zigzag/H1/betti/mean"] == 0.5
    assert "zigzag/H1/births/mean" not in metrics
    images = LayerImages.read(run.zigzag(0))
    assert images.layers == tuple(LAYERS)
    assert np.argwhere(images.images[1]).tolist() == [[2, 4]]
    later = measure(run, 1, previous=0, tda=TDA)
    assert [later[f"zigzag/H1/births/{layer}"] for layer in LAYERS] == [1, 0, 0, 0]


def test_each_layer_is_compared_with_the_next(tmp_path: Path, measure: Measure) -> None:
    run = planted(tmp_path)
    metrics = measure(run, 0, (0, 1), tda=TDA)
    shapes = read_layer_diagrams(run.diagrams(0))
    for k in (0, 1):
        known = [diagram_distance(shapes[a].normalized, shapes[b].normalized, k) for a, b in pairwise(LAYERS)]
        assert [metrics[f"layer_distance/H{k}/{layer}"] for layer in LAYERS[:3]] == known
        assert known[1] > 0
        assert f"layer_distance/H{k}/layer_04" not in metrics


def test_without_the_key_nothing_of_it_is_there(tmp_path: Path, measure: Measure) -> None:
    run = planted(tmp_path)
    metrics = measure(run, 0, (0, 1))
    assert not any(key.startswith(("zigzag", "layer_distance")) for key in metrics)
    assert not run.zigzag(0).exists()


def test_layers_that_are_not_finite_are_passed_over(tmp_path: Path, measure: Measure) -> None:
    run, closed = RunDirectory(tmp_path), circle(40, 2, 0.0).astype(np.float32)
    broken = np.where(np.arange(80).reshape(40, 2) == 7, np.nan, closed).astype(np.float32)
    clouds = {"layer_01": arc(2.0), "layer_02": broken, "layer_03": closed}
    write_clouds(run.clouds(0), clouds, step=0, probe_hash="x")
    metrics = measure(run, 0, tda=TDA)
    assert {key: value for key, value in metrics.items() if key.startswith("zigzag/H1/births")} == {
        "zigzag/H1/births/layer_01": 0, "zigzag/H1/births/layer_03": 1,
    }  # fmt: skip
    assert "layer_distance/H1/layer_01" in metrics


def test_images_that_are_damaged_are_made_again_with_the_checkpoint(tmp_path: Path, measure: Measure) -> None:
    run = planted(tmp_path)
    measure(run, 0, (0, 1), tda=TDA)
    run.zigzag(0).write_bytes(run.zigzag(0).read_bytes()[:-30])
    with pytest.raises(DamagedError):
        LayerImages.read(run.zigzag(0))
    discard_damaged_results(Job(run, run, CheckpointSteps(0, ((0, 1),), None), TDA))
    assert not run.metrics(0).exists()
    assert not run.zigzag(0).exists()
