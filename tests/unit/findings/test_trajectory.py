"""Runs as points, of what they share."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from src.findings import find_across, trajectories
from src.metrics.table import Row, tabulate
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
