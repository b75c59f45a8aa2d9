"""Excess and noise from rows."""

from __future__ import annotations

import math

import pytest

from src.measure.inference import infer
from src.metrics.table import HALF, Row


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


def rows_of_halves(speeds: list[float], chance: list[float]) -> list[Row]:
    rows = [Row(0, "velocity", 2.0, "layer_01", 1)]
    rows += [Row(0, "null_velocity", value, "layer_01", 1, sample=n) for n, value in enumerate((0.9, 1.0, 1.1))]
    rows += [Row(0, "velocity", value, "layer_01", 1, sample=n) for n, value in enumerate(speeds)]
    return rows + [Row(0, f"{HALF}null_velocity", value, "layer_01", 1, sample=n) for n, value in enumerate(chance)]


def test_each_half_is_held_against_its_own_null() -> None:
    """A half that moves twice as far in a null that does as well says nothing against the excess."""
    bounds = {}
    for name, chance in (("own", [1.0, 2.0, 0.5]), ("alike", [1.0, 1.0, 1.0])):
        found = infer(rows_of_halves([2.0, 4.0, 1.0], chance))
        assert not [row for row in found if row.quantity.startswith(HALF)]
        rows = [row for row in found if (row.quantity, row.layer) == ("excess", "layer_01")]
        halves = [row.value for row in rows if row.part == "sample"]
        assert halves == pytest.approx([2 / c * v for v, c in zip((1, 2, 0.5), chance, strict=True)])
        whole = next(row for row in rows if row.part == "checkpoint")
        assert whole.value == pytest.approx(2)
        bounds[name] = whole.high / whole.low
    assert bounds["own"] < 2 < bounds["alike"]


@pytest.mark.parametrize(("speeds", "chance"), [([0.0, 0.0], [0.0, 0.0]), ([2.0, 2.0], [1.0]), ([2.0, 2.0], [])])
def test_halves_that_do_not_move_or_have_no_null_leave_the_velocitys_interval(
    speeds: list[float], chance: list[float]
) -> None:
    found = infer(rows_of_halves(speeds, chance))
    assert [row.value for row in found if (row.quantity, row.part) == ("excess", "sample")] == []
    assert [row.value for row in found if (row.quantity, row.layer) == ("excess", "layer_01")] == pytest.approx([2])
