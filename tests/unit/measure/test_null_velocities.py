"""Chance at one layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from src.measure.inference import infer
from src.measure.layer import CheckpointSteps, LayerCheckpoint, compare_steps
from src.measure.layer_diagrams import compute_layer_diagram
from src.measure.null_velocities import null_velocities
from tests.support.builders import RIPS


@pytest.mark.parametrize("metric", ["cosine", "standardized"])
def test_chance_is_seen_by_the_metric_of_the_run(metric: str) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 20)) + 1
    moved = x + 0.02 * rng.normal(size=x.shape)
    tda = replace(RIPS, metric=metric, subsamples=0, null_draws=12)
    both = {0: x, 1: moved}
    shapes = {step: compute_layer_diagram(cloud, x, tda) for step, cloud in both.items()}
    here = LayerCheckpoint(CheckpointSteps(0, ((0, 1),), None), "layer_01", both, shapes, tda, 0)
    rows = infer([*compare_steps(here), *null_velocities(here)])
    excess = {row.dimension: row.value for row in rows if row.quantity == "excess" and row.layer == "layer_01"}
    assert all(0.5 < excess[k] < 1.8 for k in (0, 1)), excess
