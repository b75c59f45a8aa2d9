"""The floor tells what rounding makes of a movement that is too small for the arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src.clouds.floor import movement_error, reference_rows
from src.measure.floor import measure_floor, times_floor
from src.measure.layer import CheckpointSteps, LayerCheckpoint, compare_steps
from src.measure.layer_diagrams import compute_layer_diagram
from tests.support.builders import method_of

TDA = method_of("vietoris_rips", "tda.subsamples=0", "tda.null_draws=0")


def in_bfloat16(cloud: np.ndarray) -> np.ndarray:
    return torch.from_numpy(cloud).bfloat16().float().numpy()


def captured(step: float, coarse: bool) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """The clouds of a pair, and what the arithmetic adds to its movement."""
    rng = np.random.default_rng(0)
    start, way = rng.normal(size=(2, 96, 48)).astype(np.float32)
    exact = start, start + np.float32(step) * way
    clouds = tuple(map(in_bfloat16, exact)) if coarse else exact
    rows = reference_rows(len(start))
    return dict(enumerate(clouds)), movement_error((clouds[0], clouds[1]), (exact[0][rows], exact[1][rows]))


def velocities(clouds: dict[int, np.ndarray], error: np.ndarray) -> tuple[dict[int, float], dict[int, float]]:
    """Velocity and floor, by homology dimension."""
    diagrams = {step: compute_layer_diagram(cloud, clouds[0], TDA) for step, cloud in clouds.items()}
    layer = LayerCheckpoint(CheckpointSteps(0, ((0, 1),), None), "layer_01", clouds, diagrams, TDA, seed=1)
    floors = list(measure_floor(layer, error))
    assert next(row.value for row in floors if row.quantity == "floor/displacement") < 0.005, "relative, of bfloat16"
    return (
        {row.dimension: row.value for row in compare_steps(layer) if row.quantity == "velocity"},
        {row.dimension: row.value for row in floors if row.quantity == "floor/velocity"},
    )


@pytest.mark.parametrize(("size", "is_rounding"), [(1e-4, True), (1e-3, True), (0.03, False), (0.1, False)])
def test_velocities_are_below_3_floors_where_rounding_made_them_and_nowhere_else(
    size: float, is_rounding: bool
) -> None:
    seen, floors = velocities(*captured(size, coarse=True))
    true, _ = velocities(*captured(size, coarse=False))
    for k in (0, 1):
        assert (seen[k] < 3 * floors[k]) == is_rounding
        assert (seen[k] > 1.1 * true[k]) == is_rounding


def test_a_movement_far_above_rounding_is_far_above_its_floor() -> None:
    clouds, error = captured(0.1, coarse=True)
    assert times_floor(clouds, 1, error, "layer_01", TDA, seed=1) > 5
    clouds, error = captured(1e-3, coarse=False)
    assert times_floor(clouds, 1, error, "layer_01", TDA, seed=1) == np.inf, "in exact arithmetic the floor is 0"
    still = {0: clouds[0], 1: clouds[0]}
    assert times_floor(still, 1, 0 * error, "layer_01", TDA, seed=1) == 0, "what does not move is above no floor"
