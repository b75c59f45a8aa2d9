"""Excess and noise from rows."""

from __future__ import annotations

import math

import pytest

from src.measure.inference import infer
from src.metrics.table import Row


def test_a_mean_is_held_against_draws_of_the_same_layers() -> None:
    rows = []
    for layer, speed, draws in (("layer_01", 2.0, (1.0, 1.2)), ("layer_02", 6.0, (2.0, 2.4)), ("layer_03", 50.0, ())):
        rows.append(Row(0, "velocity", speed, layer, 1))
        rows += [Row(0, "null_velocity", value, layer, 1, sample=n) for n, value in enumerate(draws)]
    found = {(row.layer): row.value for row in infer(rows) if row.quantity == "excess"}
    assert found == pytest.approx({"layer_01": 2 / 1.1, "layer_02": 6 / 2.2, "mean": 4 / 1.65})


def test_step_noise_is_the_spread_of_the_logarithms_over_the_pairs() -> None:
    rows = [Row(0, "velocity", 1.0, "layer_01", 1, 1), Row(0, "velocity", 4.0, "layer_01", 1, 2)]
    rows.append(Row(0, "velocity", 2.5, "layer_01", 1))
    noise = [row.value for row in infer(rows) if row.quantity == "step_noise" and row.layer == "layer_01"]
    assert noise == pytest.approx([math.log(4) / math.sqrt(2)])
