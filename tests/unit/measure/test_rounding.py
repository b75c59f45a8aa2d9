"""What is below the rounding floor: marked, out of the mean, out of the findings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from src.measure.inference import infer
from src.measure.rounding import apply_floor
from src.metrics.derived import drop_rounding, is_rounding, layers_below_floor
from src.metrics.selection import select, select_curve
from src.metrics.table import Row, tabulate

STEPS = (0, 10, 20, 30)
LAYERS = ("layer_01", "layer_02", "layer_03")


def measured(floors: tuple[float, ...]) -> pd.DataFrame:
    """Three layers whose velocities are 1, 2 and 3, with halves, draws and a floor each."""
    rng, rows = np.random.default_rng(0), []
    for step in STEPS:
        found = []
        for n, (layer, floor) in enumerate(zip(LAYERS, floors, strict=True), start=1):
            found += [Row(step, "velocity", float(n), layer, 1), Row(step, "drift", float(10 * n), layer, 1)]
            for sample in range(4):
                found.append(Row(step, "velocity", n * (0.5 + 0.01 * rng.normal()), layer, 1, sample=sample))
                found.append(Row(step, "null_velocity", n * (2 + 0.01 * rng.normal()), layer, 1, sample=sample))
            if step in (STEPS[0], STEPS[-1]):
                found.append(Row(step, "floor/velocity", floor * (1 if step else 0.5), layer, 1))
        rows += infer(found)
    return pd.concat([tabulate(rows), tabulate([Row(0, "train_loss", 2.0)])], ignore_index=True)


def test_a_run_far_above_its_floor_is_marked_as_that_and_not_changed() -> None:
    table = measured((0.1, 0.1, 0.1))
    applied = apply_floor(table)
    assert applied[: len(table)].equals(table)
    assert set(select(applied, "below_floor").value) == {0.0}
    assert drop_rounding(applied) is applied


def test_the_mean_leaves_out_the_layer_that_is_rounding() -> None:
    applied = apply_floor(measured((0.5, 0.1, 0.1)))
    assert layers_below_floor(applied) == ["layer_01"]
    assert not is_rounding(applied)
    assert set(select_curve(applied, "velocity", 1).value) == {2.5}
    assert set(select_curve(applied, "drift", 1).value) == {25.0}
    assert select_curve(applied, "null_velocity", 1).value.to_numpy() == pytest.approx(5, rel=0.05)
    assert select_curve(applied, "excess", 1).value.to_numpy() == pytest.approx(0.5, rel=0.05)
    assert select_curve(applied, "velocity", 1).low.notna().all()
    assert set(select_curve(applied, "velocity", 1, "layer_01").value) == {1.0}, "in the table it stays"
    for quantity in ("velocity", "excess", "below_floor"):
        assert not select(applied, quantity).duplicated(["step", "layer", "dimension"]).any()
    assert len(select(applied, "train_loss")) == 1
    kept = drop_rounding(applied)
    assert set(select(kept, "excess").layer) == {"layer_02", "layer_03", "mean"}
    assert set(select(kept, "drift").layer) == {*LAYERS, "mean"}


def test_a_run_most_of_whose_layers_are_rounding_keeps_its_mean_and_has_nothing_to_say() -> None:
    applied = apply_floor(measured((0.5, 1.0, 0.1)))
    assert is_rounding(applied)
    assert set(select_curve(applied, "velocity", 1).value) == {2.0}
    # The larger floor of both ends counts: 1 < 3 * 0.5 although 1 > 3 * 0.25.
    assert set(select_curve(applied, "below_floor", 1, "layer_01").value) == {1.0}
