"""Runs as points, of what they share."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from src.findings import Tracked, find_across, trajectories
from src.metrics.table import Row, tabulate
from tests.support.planted import Planted, plant_table
from tests.support.tables import table_of_values, tables_of, tracked


def test_a_trajectory_is_log_drift_and_velocity_z_scored_over_the_runs_that_share_a_step() -> None:
    one = {("drift", 0, 0): 0.0, ("drift", 0, 5): 2.0, ("velocity", 1, 0): 1.0, ("velocity", 1, 5): 3.0}
    two = one | {("drift", 0, 5): 4.0, ("velocity", 1, 5): 3.0, ("velocity", 1, 9): 1.0}
    points, steps = trajectories([table_of_values(one), table_of_values(two)])
    np.testing.assert_array_equal(steps, [0, 5])
    np.testing.assert_allclose(points, [[-1.0], [1.0]], err_msg="0 has no log, equal ones no variance, 9 is not shared")


def test_a_velocity_below_the_rounding_floor_is_in_no_trajectory() -> None:
    tables = tables_of(np.random.default_rng(0).normal(size=(3, 4)))
    marked = pd.concat([tables[0], tabulate([Row(2, "below_floor", 1.0, "layer_01", 1)])], ignore_index=True)
    assert trajectories(tables)[0].shape == (3, 4)
    assert trajectories([marked, *tables[1:]])[0].shape == (3, 3)


def test_runs_that_share_no_step_are_refused() -> None:
    one, two = (table_of_values({("velocity", 1, step): 1.0}) for step in (0, 5))
    with pytest.raises(ValueError, match=r"No checkpoint is shared by all 2 runs \(their first steps: 0; 5\)"):
        trajectories([one, two])
    with pytest.raises(ValueError, match="No drift or velocity of H0 or H1 in table 2 of 2"):
        trajectories([one, table_of_values({}, losses={0: 1.0})])
    found = find_across(tracked([one, two], ["helpful", "harmless"], [0, 0]))
    assert math.isnan(found["separability_p", "tiny"].value)
    assert "No checkpoint is shared" in found["separability_p", "tiny"].sentence


def test_what_a_run_is_compared_by_is_a_small_part_of_its_table() -> None:
    runs = [
        Tracked(str(seed), "tiny", "pretrained", None, "a", seed, plant_table(Planted("tiny", seed=seed)))
        for seed in (0, 1)
    ]
    whole, steps = trajectories([run.table for run in runs])
    parts, shared = trajectories([run.shape for run in runs])
    assert np.array_equal(whole, parts)
    assert np.array_equal(steps, shared)
    assert len(runs[0].shape) < len(runs[0].table) / 10
    bare = replace(runs[0], table=runs[0].table[runs[0].table.quantity == "scale"])
    assert bare.shape is bare.table, "what is missing is said of the whole"
