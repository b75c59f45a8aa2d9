"""Every row of one layer at one checkpoint."""

from __future__ import annotations

from ..metrics.table import Row
from .base import compare_with_base
from .halves import subsample_rows
from .layer import (
    LayerCheckpoint,
    compare_steps,
    describe_activations,
    describe_shape,
    measure_movement,
    measure_window,
)
from .null_velocities import null_velocities
from .weight_velocities import weight_velocities


def measure_rows(layer: LayerCheckpoint) -> list[Row]:
    """Of the cloud itself, and all that hangs on the metric."""
    return [*describe_activations(layer), *metric_rows(layer)]


def metric_rows(layer: LayerCheckpoint) -> list[Row]:
    """Of the shape, against other steps, on random halves of the probes, under random movement."""
    rows = [*describe_shape(layer), *compare_steps(layer), *compare_with_base(layer), *measure_movement(layer)]
    rows += measure_window(layer)
    if layer.tda.subsamples:
        rows += subsample_rows(layer)
    if layer.tda.null_draws and layer.at.pairs:
        rows += null_velocities(layer)
    if layer.weight_clouds:
        rows += weight_velocities(layer)
    return rows
