"""Excess of one layer against the clouds of random updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.clouds.store import write_clouds
from src.config import TdaConfig
from src.measure.inference import infer
from src.measure.layer import CheckpointSteps, LayerCheckpoint, compare_steps
from src.measure.layer_diagrams import compute_layer_diagram
from src.measure.weight_velocities import weight_velocities
from src.metrics.table import Row
from tests.support.builders import RIPS, plant_clouds
from tests.support.measuring import Measure

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 20)) + 1
WAYS = [RNG.normal(size=(20, 20)) for _ in range(14)]
"""Linear maps: what random updates of a linear model would do, the first two of them the real ones."""


def moved(x: np.ndarray, way: np.ndarray, size: float = 0.01) -> np.ndarray:
    return np.asarray(x + size * x @ way)


def layer_of(tda: TdaConfig, draws: Sequence[np.ndarray], size: float = 0.01) -> LayerCheckpoint:
    clouds = {0: X, 1: moved(X, WAYS[0], size)}
    clouds[2] = moved(clouds[1], WAYS[1], size)
    shapes = {step: compute_layer_diagram(cloud, X, tda) for step, cloud in clouds.items()}
    return LayerCheckpoint(CheckpointSteps(0, ((0, 1), (1, 2)), None), "layer_01", clouds, shapes, tda, 0, draws)


def excess_of(layer: LayerCheckpoint) -> dict[tuple[str, int], Row]:
    rows = infer([*compare_steps(layer), *weight_velocities(layer)])
    return {(row.quantity, row.dimension): row for row in rows if row.layer == "layer_01" and row.part == "checkpoint"}


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "standardized"])
def test_an_update_among_its_like_is_chance_however_large_they_are(metric: str) -> None:
    tda = replace(RIPS, metric=metric, subsamples=0, null_draws=0, weight_draws=12)
    small, large = (layer_of(tda, [moved(X, way, size) for way in WAYS[2:]]) for size in (0.002, 0.02))
    found = excess_of(small)
    for k in (0, 1):
        assert 0.6 < found["weights_excess", k].value < 1.6
        assert found["weights_excess_p", k].value > 0.05
        assert found["weights_velocity", k].low < found["velocity", k].value < found["weights_velocity", k].high
        ratio = excess_of(large)["weights_excess", k].value / found["weights_excess", k].value
        assert ratio == pytest.approx(1, abs=0.1), "their own size is scaled away"


def test_a_structured_movement_is_not_chance() -> None:
    tda = replace(RIPS, subsamples=0, null_draws=0, weight_draws=12)
    layer = layer_of(tda, [moved(X, way) for way in WAYS[2:]])
    near = np.argsort(np.linalg.norm(X[:, None] - X[None], axis=2), axis=1)[:, 1]
    clouds = {0: X, 1: X + 0.05 * (X[near] - X), 2: X + 0.1 * (X[near] - X)}
    shapes = {step: compute_layer_diagram(cloud, X, tda) for step, cloud in clouds.items()}
    found = excess_of(replace(layer, clouds=clouds, layer_diagrams=shapes))
    assert found["weights_excess", 0].value > 2
    assert found["weights_excess_p", 0].value < 0.01


def test_a_movement_that_is_no_small_one_has_no_such_excess() -> None:
    layer = layer_of(replace(RIPS, weight_draws=2), [moved(X, way) for way in WAYS[2:4]], size=1.0)
    assert all(np.isnan(row.value) for row in weight_velocities(layer))


def test_a_worker_takes_the_clouds_that_are_asked_for(tmp_path: Path, measure: Measure) -> None:
    run = plant_clouds(tmp_path, s0=X, s1=moved(X, WAYS[0]))
    layers = ("layer_01", "layer_02")
    for draw, way in enumerate(WAYS[2:8]):
        clouds = dict.fromkeys(layers, moved(X, way).astype(np.float32))
        write_clouds(run.weight_cloud(0, draw), clouds, step=0, probe_hash="x")

    def metrics(**keys: object) -> dict[str, float]:
        run.metrics(0).unlink(missing_ok=True)
        return measure(run, 0, (0, 1), tda=replace(RIPS, subsamples=0, null_draws=3, **keys))

    six, three = metrics(weight_draws=6), metrics(weight_draws=3)
    names = ("weights_velocity", "weights_excess", "weights_excess_p")
    for k in (0, 1):
        for name in names:
            for layer in (*layers, "mean"):
                assert f"{name}/H{k}/{layer}" in six
            assert six[f"{name}/H{k}/mean"] != three[f"{name}/H{k}/mean"]
        assert six[f"excess/H{k}/mean"] == three[f"excess/H{k}/mean"]
    for none in (metrics(weight_draws=0), metrics(weight_draws=6, weight_steps=[4])):
        assert not any(key.startswith("weights_") for key in none)
