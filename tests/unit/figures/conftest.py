"""Planted tables and diagrams."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from src.measure import track
from src.metrics.table import Row, with_means

LAYERS = ["layer_01", "layer_02", "layer_03", "layer_04"]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rows = [
        Row(step, quantity, step + n + 10 * k, layer, k)
        for step in (0, 4, 9) for n, layer in enumerate(LAYERS) for k in (0, 1) for quantity in ("velocity", "drift")
    ]  # fmt: skip
    losses = [Row(step, name, 3 - step / 9) for step in (0, 4, 9) for name in ("train_loss", "eval_loss_helpful")]
    single = [Row(4, "velocity", 999.0, "layer_01", 1, pair_step=5)]
    return pd.DataFrame([vars(row) for row in with_means(rows) + losses + single])


@pytest.fixture(scope="module")
def diagrams() -> dict[int, dict[str, np.ndarray]]:
    def diagram() -> np.ndarray:
        h0 = np.column_stack([np.zeros(30), RNG.random(30) + 0.1, np.zeros(30)])
        births = RNG.random(12)
        return np.concatenate([h0, np.column_stack([births, births + 0.1, np.ones(12)])])

    return {step: {layer: diagram() for layer in LAYERS} for step in (0, 4, 9)}


@pytest.fixture(scope="module")
def tracked() -> pd.DataFrame:
    """A walk of one layer, called the mean, with its learning rate."""
    rng = np.random.default_rng(0)
    clouds = {0: rng.normal(size=(80, 4))}
    for step in range(1, 8):
        clouds[step] = clouds[step - 1] + 0.02 * rng.normal(size=(80, 4))
    series = track(clouds, checkpoints=[0, 2, 4, 6], subsamples=4, null_draws=4).assign(layer="mean")
    rates = pd.DataFrame([vars(Row(step, "learning_rate", 1e-3 * (1 + step))) for step in range(8)])
    return pd.concat([series, series.assign(layer="layer_01"), rates], ignore_index=True)
