"""One checkpoint's pipeline on planted clouds, in a worker."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.clouds.store import write_clouds
from src.measure.checkpoint import Job, discard_damaged_results
from src.measure.layer import CheckpointSteps
from src.measure.layer_diagrams import discard_damaged, read_layer_diagrams
from src.measure.pool import WorkerPool
from src.metrics.files import read_rows
from src.rundir import RunDirectory
from tests.support.builders import RIPS, plant_clouds
from tests.support.measuring import Measure, measure_job

X = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)


def test_every_metric_of_the_contract_is_there_for_each_layer_and_the_mean(tmp_path: Path, measure: Measure) -> None:
    moved = X + 0.1 * np.random.default_rng(1).normal(size=X.shape).astype(np.float32)
    run = plant_clouds(tmp_path, s0=X, s4=X, s5=moved)
    metrics = measure(run, 4, (4, 5), previous=0)
    summaries = ["n_bars", "total_persistence", "max_persistence", "mean_persistence", "mean_birth", "mean_death"]
    summaries += ["entropy", "normalized_entropy", "betti_max"]
    for layer in ("layer_01", "layer_02", "mean"):
        for k in (0, 1):
            expected = [f"topology/H{k}/{name}/{layer}" for name in summaries]
            expected += [f"shape/H{k}/{name}/{layer}" for name in summaries[1:6]]
            expected += [f"{name}/H{k}/{layer}" for name in ("drift", "velocity", "naive_velocity")]
            assert set(expected) <= metrics.keys()
        geometry = ["scale", "displacement", "cka_to_base", "effective_rank", "participation_ratio"]
        geometry += ["intrinsic_dimension", "anisotropy", "mean_norm"]
        assert {f"geometry/{name}/{layer}" for name in geometry} <= metrics.keys()
    assert all(math.isfinite(value) for value in metrics.values())


def test_what_stands_still_has_neither_drift_nor_velocity(tmp_path: Path, measure: Measure) -> None:
    metrics = measure(plant_clouds(tmp_path, s0=X, s1=X), 0, (0, 1))
    for key, value in metrics.items():
        if key.startswith(("drift", "velocity", "geometry/displacement")):
            assert value == 0, key
    assert not any(key.startswith("naive_velocity") for key in metrics), "there is no checkpoint before the first"


def test_a_uniform_scaling_moves_the_raw_lengths_and_not_the_shape(tmp_path: Path, measure: Measure) -> None:
    metrics = measure(plant_clouds(tmp_path, s0=X, s1=2 * X, s2=2 * X), 1, (1, 2), previous=0)
    base = measure(plant_clouds(tmp_path / "base", s0=X, s1=X), 0, (0, 1))
    for k in (0, 1):
        raw, shape = f"topology/H{k}/total_persistence/layer_01", f"shape/H{k}/total_persistence/layer_01"
        assert math.isclose(metrics[raw], 2 * base[raw], rel_tol=1e-6)
        assert math.isclose(metrics[shape], base[shape], rel_tol=1e-6)
        assert metrics[f"drift/H{k}/layer_01"] <= 1e-6 * base[shape]


def test_velocity_is_per_step_over_the_lag_and_naive_velocity_over_the_gap(tmp_path: Path, measure: Measure) -> None:
    there = X + 0.2 * np.random.default_rng(2).normal(size=X.shape).astype(np.float32)
    near = measure(plant_clouds(tmp_path / "a", s0=X, s1=there), 0, (0, 1))
    far = measure(plant_clouds(tmp_path / "b", s0=X, s3=there), 0, (0, 3))
    assert math.isclose(far["velocity/H1/mean"] * 3, near["velocity/H1/mean"])
    assert math.isclose(far["geometry/displacement/mean"] * 3, near["geometry/displacement/mean"])
    later = measure(plant_clouds(tmp_path / "c", s0=X, s5=there, s6=there), 5, (5, 6), previous=0)
    assert math.isclose(later["naive_velocity/H1/mean"] * 5, near["velocity/H1/mean"])
    assert math.isclose(later["drift/H1/mean"], near["velocity/H1/mean"])


def test_a_layer_that_is_not_finite_is_left_out_and_the_others_are_as_they_were(
    tmp_path: Path, measure: Measure
) -> None:  # fmt: skip
    moved = X + 0.1 * np.random.default_rng(1).normal(size=X.shape).astype(np.float32)
    broken = moved.copy()
    broken[3, 2] = np.inf
    whole, hurt = plant_clouds(tmp_path / "a", s0=X, s1=moved), RunDirectory(tmp_path / "b")
    for step, second in ((0, 2 * X), (1, broken)):
        clouds = {"layer_01": (X, moved)[step], "layer_02": second}
        write_clouds(hurt.clouds(step), clouds, step=step, probe_hash="x")
    expected, found = measure(whole, 0, (0, 1)), measure(hurt, 0, (0, 1))
    assert {key for key in found if key.endswith("layer_02")} == {"geometry/not_finite/layer_02"}
    first = {key: value for key, value in expected.items() if key.endswith("layer_01")}
    assert first
    assert {key: found[key] for key in first} == first
    assert found["velocity/H1/mean"] == found["velocity/H1/layer_01"]
    assert "geometry/not_finite/mean" not in found


def test_repeated_pairs_are_averaged_and_kept_one_by_one(tmp_path: Path, measure: Measure) -> None:
    rng = np.random.default_rng(3)
    clouds = {f"s{n}": X + n * 0.1 * rng.normal(size=X.shape).astype(np.float32) for n in range(3)}
    run = plant_clouds(tmp_path, **clouds)
    metrics = measure(run, 0, (0, 1), (1, 2))
    rows = read_rows(run.metrics(0))[0]
    rows = rows[rows["sample"] == -1]
    single = rows[(rows.quantity == "velocity") & (rows.dimension == 1) & (rows.layer == "layer_01")]
    assert sorted(single.pair_step) == [-1, 1, 2]
    by_pair = single.set_index("pair_step").value
    assert math.isclose(by_pair[-1], (by_pair[1] + by_pair[2]) / 2)
    assert metrics["velocity/H1/layer_01"] == by_pair[-1]


def test_a_cloud_in_one_place_is_valid_and_its_undefined_values_are_counted(tmp_path: Path, pool: WorkerPool) -> None:
    point = np.ones_like(X)
    run = RunDirectory(tmp_path)
    for step in (0, 1):
        write_clouds(run.clouds(step), {"layer_01": X, "layer_02": point}, step=step, probe_hash="x")
    done = measure_job(pool, Job(run, run, CheckpointSteps(0, ((0, 1),), None), RIPS))
    assert done.metrics["topology/H1/n_bars/layer_02"] == 0
    assert done.metrics["geometry/scale/layer_02"] == 0
    assert "drift/H1/layer_02" not in done.metrics
    assert "topology/H1/total_persistence/layer_02" not in done.metrics
    assert done.metrics["topology/H1/entropy/mean"] == done.metrics["topology/H1/entropy/layer_01"]
    assert done.skipped > 0


def test_sinks_and_equal_points_are_counted_and_sinks_dropped_for_the_whole_run(
    tmp_path: Path, measure: Measure
) -> None:
    base = X.copy()
    base[3] *= 1000
    base[5] = base[4]
    later = X.copy()
    later[9] *= 1000  # a sink that was none at step 0 stays
    run = plant_clouds(tmp_path / "kept", s0=base, s1=later)
    kept = measure(run, 0, (0, 1))
    assert kept["geometry/sinks/layer_01"] == 1
    assert kept["geometry/equal_points/layer_01"] == 1
    run = plant_clouds(tmp_path / "dropped", s0=base, s1=later)
    dropped = measure(run, 0, (0, 1), tda=replace(RIPS, drop_sinks=True))
    assert kept["topology/H0/n_bars/layer_01"] == 38, "39 bars, one of them of length 0"
    assert dropped["topology/H0/n_bars/layer_01"] == 37
    assert dropped["topology/H0/max_persistence/layer_01"] < kept["topology/H0/max_persistence/layer_01"] / 100
    diagram = read_layer_diagrams(run.diagrams(1), ["layer_01"])["layer_01"].diagram
    assert diagram[:, 1].max() > 1000


def test_a_projection_says_what_it_keeps(tmp_path: Path, measure: Measure) -> None:
    run = plant_clouds(tmp_path, s0=X, s1=X)
    metrics = measure(run, 0, (0, 1), tda=replace(RIPS, components=3))
    assert 0.3 < metrics["geometry/explained_variance/layer_01"] < 0.8


def test_geometry_can_be_left_out(tmp_path: Path, measure: Measure) -> None:
    run = plant_clouds(tmp_path, s0=X, s1=X)
    metrics = measure(run, 0, (0, 1), tda=replace(RIPS, geometry=False))
    assert "geometry/scale/mean" in metrics
    assert "geometry/cka_to_base/mean" not in metrics


def test_a_checkpoint_whose_diagrams_were_damaged_after_it_was_measured_is_measured_again(
    tmp_path: Path, measure: Measure, caplog: pytest.LogCaptureFixture
) -> None:
    run = plant_clouds(tmp_path, s0=X, s1=X + 1)
    before, job = measure(run, 0, (0, 1)), Job(run, run, CheckpointSteps(0, ((0, 1),), None), RIPS)
    discard_damaged_results(job)
    assert run.metrics(0).exists(), "all of it is whole"
    whole = run.diagrams(0).read_bytes()
    for damaged in (whole[:200] + b"?" + whole[201:], None):
        assert run.metrics(0).exists()
        run.diagrams(0).unlink() if damaged is None else run.diagrams(0).write_bytes(damaged)
        discard_damaged_results(job)
        assert not run.metrics(0).exists()
        assert not run.diagrams(0).exists()
        with WorkerPool(1) as pool:
            assert measure_job(pool, job).metrics == before
        assert run.diagrams(0).exists()
    assert "diagrams.npz: damaged" in caplog.text


def test_parts_that_a_killed_worker_had_joined_are_gone(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    joined, part = run.diagrams(0), run.layer_diagram(0, "layer_01")
    part.parent.mkdir(parents=True)
    for path in (joined, part):
        np.savez(path, x=np.zeros(3))
    discard_damaged(run, 0)
    assert joined.exists()
    assert not part.parent.exists()
