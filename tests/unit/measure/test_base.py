"""Rows of a checkpoint against step 0, from clouds on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.clouds.floor import reference_rows
from src.clouds.store import write_clouds
from src.config import TdaConfig
from src.measure import track
from src.measure.checkpoint import Job, measure_layer
from src.measure.layer import CheckpointSteps
from src.measure.layer_diagrams import merge_layer_diagrams, store_layer_diagram
from src.metrics.table import Row
from src.rundir import RunDirectory
from src.topology import topology_divergence
from src.topology.distances import pairwise_distances
from tests.support.builders import RIPS, method_of, plant_clouds
from tests.support.giotto import HAS_GIOTTO

TDA = replace(RIPS, subsamples=0, null_draws=0)
X = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
MOVED = X + 0.1 * np.random.default_rng(1).normal(size=X.shape).astype(np.float32) + np.float32(0.1)


def measured(run: RunDirectory, *, is_last: bool = True, tda: TdaConfig = TDA) -> dict[str, Row]:
    """The rows of `layer_01` at step 4 that are compared with the base, by quantity."""
    job = Job(run, run, CheckpointSteps(4, ((4, 5),), 0, is_last=is_last), tda)
    for step in job.at.steps:
        store_layer_diagram(run, run, step, "layer_01", tda)
        merge_layer_diagrams(run, step, ["layer_01"])
    rows = measure_layer(job, "layer_01")
    return {row.quantity: row for row in rows if "base_" in row.quantity or row.quantity.startswith("rtd")}


def test_divergence_is_that_of_the_distances_and_the_test_is_made_at_the_last_checkpoint(tmp_path: Path) -> None:
    run = plant_clouds(tmp_path, s0=X, s4=MOVED, s5=MOVED)
    rows = measured(run)
    assert rows["rtd"].value == pytest.approx(topology_divergence(pairwise_distances(X), pairwise_distances(MOVED)))
    assert 0 < rows["rtd/max_persistence"].value < rows["rtd"].value
    assert rows["rtd"].dimension == rows["rtd/max_persistence"].dimension == 1
    assert rows["base_displacement"].value == pytest.approx(np.linalg.norm(MOVED - X) / np.linalg.norm(X))
    assert rows["base_p"].value < 0.001
    assert "floor/base_displacement" not in rows, "nothing was captured twice"
    assert set(measured(run, is_last=False)) == {"rtd", "rtd/max_persistence"}


def test_the_floor_of_the_whole_movement_is_what_both_captures_err(tmp_path: Path) -> None:
    run, rows, rng = plant_clouds(tmp_path, s0=X, s4=MOVED, s5=MOVED), reference_rows(len(X)), np.random.default_rng(2)
    error = 0.01 * rng.normal(size=(2, len(rows), 8)).astype(np.float32)
    for step, cloud, off in ((0, X, error[0]), (4, MOVED, error[1])):
        layers = {"layer_01": cloud[rows] + off}
        write_clouds(run.floor_clouds(step), layers, step=step, probe_hash="x")
    expected = np.linalg.norm(error[1] - error[0]) / np.linalg.norm(X[rows])
    assert measured(run)["floor/base_displacement"].value == pytest.approx(expected, rel=0.2)


def test_divergence_is_left_out_above_its_limit_and_by_other_methods(tmp_path: Path) -> None:
    run = plant_clouds(tmp_path, s0=X, s4=MOVED, s5=MOVED)
    for tda in (replace(TDA, rtd_points=39), replace(TDA, rtd_points=0)):
        assert set(measured(run, tda=tda)) == {"base_displacement", "base_p"}
    assert set(measured(run, tda=replace(TDA, points=39, rtd_points=39))) > {"rtd"}
    for name in ("weighted_rips", "flagser") if HAS_GIOTTO else ("cech",):
        assert not method_of(name).measures_rtd(40)
    assert method_of("h2").measures_rtd(40)
    no_loops = replace(TDA, transformer={**(TDA.transformer or {}), "homology_dimensions": [0]})
    assert not no_loops.measures_rtd(40)


def test_a_cloud_without_size_has_no_divergence_and_what_stands_still_has_0(tmp_path: Path) -> None:
    still = measured(plant_clouds(tmp_path / "still", s0=X, s4=X, s5=X))
    assert still["rtd"].value == still["rtd/max_persistence"].value == still["base_displacement"].value == 0
    assert still["base_p"].value == 1
    assert np.isnan(measured(plant_clouds(tmp_path / "point", s0=X, s4=0 * X, s5=0 * X))["rtd"].value)


def test_arrays_are_compared_with_their_first_cloud(tmp_path: Path) -> None:
    table = track({3: X, 4: X, 9: MOVED, 10: MOVED}, subsamples=0, null_draws=0)
    values = table[table.pair_step == -1].set_index(["quantity", "step"]).value.sort_index()
    assert values["rtd", 3].item() == 0
    assert values["rtd", 9].item() == topology_divergence(pairwise_distances(X), pairwise_distances(MOVED))
    assert list(table[table.quantity == "base_p"].step) == [9]
