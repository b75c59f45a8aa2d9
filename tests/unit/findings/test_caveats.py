"""What a table cannot say is said."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from src.findings import run_findings
from src.metrics.table import MEAN, Row, tabulate
from tests.support.tables import STEPS, bump, table_of


def test_what_is_below_the_floor_is_left_out_and_said() -> None:
    table = table_of(bump)
    marks = tabulate([Row(s, "below_floor", float(s < 30), "layer_01", 1) for s in STEPS])
    found = run_findings(pd.concat([table, marks], ignore_index=True))
    assert "6 of 20 checkpoints moved less than 3 x the rounding floor" in found["limits", -1].sentence
    everything = tabulate([Row(s, "below_floor", 1.0, "layer_01", 1) for s in STEPS])
    found = run_findings(pd.concat([table, everything], ignore_index=True))
    assert list(found) == [("limits", -1)]
    assert "These velocities are rounding: in 1 of 1 block" in found["limits", -1].sentence
    assert "schedule.lag=auto" in found["limits", -1].sentence


def test_one_layer_of_many_that_is_rounding_is_named_and_the_others_are_told_of() -> None:
    tables = [table_of(bump).replace({"layer": {"layer_01": f"layer_{n:02d}"}}) for n in (1, 2, 3, 4)]
    mean = tables[0].assign(layer=MEAN)
    marks = tabulate([Row(s, "below_floor", 1.0, "layer_01", 1) for s in STEPS])
    found = run_findings(pd.concat([*tables, mean, marks], ignore_index=True))
    assert ("peak_ratio", 1) in found
    assert "The mean leaves out layer_01 of 4 blocks" in found["limits", -1].sentence


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (lambda: table_of(bump, steps=[0]), "no statement about the course"),
        (lambda: table_of(bump, repeats=1), "noise of single steps is unknown"),
        (
            lambda: table_of(bump, steps=[0, 40, 80, 120, 160, 200], repeats=1),
            "unknown how alike neighbouring steps are",
        ),
        (lambda: table_of(bump, steps=[0, 1, 2, 100, 200]), "in the last half: its median is rough"),
        (lambda: table_of(bump, change=lambda s: 0.2 if s == 4 else 0.01), "10 % or more at steps 4: too far"),
        (lambda: table_of(bump, rate=lambda s: 1e-3 * (1 - s / 300)), "learning rate was not constant"),
        (
            lambda: pd.concat([table_of(bump), tabulate([Row(0, "dominant_share", 0.8, "layer_01")])]),
            "Two coordinates carry up to 80 % of the squared distances",
        ),
        (lambda: tabulate([Row(0, "drift", 0.0, "layer_01", 1)]), "No checkpoint has a pair"),
    ],
)
def test_what_a_table_cannot_say_is_said(table: Callable[[], pd.DataFrame], message: str) -> None:
    assert message in run_findings(table())["limits", -1].sentence


def test_a_lag_longer_than_a_gap_is_said() -> None:
    rows = [Row(s, "velocity", 1.0, "layer_01", 1, s + d) for s in (0, 1, 20, 40) for d in (10, 20)]
    rows += [Row(s, "velocity", 1.0, "layer_01", 1) for s in (0, 1, 20, 40)]
    assert "The lag of 10 steps is longer than the gap" in run_findings(tabulate(rows))["limits", -1].sentence


def test_blocks_whose_activations_were_not_finite_are_named() -> None:
    rows = tabulate([Row(step, "not_finite", 1.0, "layer_03") for step in (4, 8)])
    limits = run_findings(pd.concat([table_of(bump), rows], ignore_index=True))["limits", -1].sentence
    assert "Activations of layer_03 were not finite around checkpoints 4, 8: these blocks are left out there" in limits
