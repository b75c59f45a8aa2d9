"""One checkpoint's pipeline on planted clouds, in this process and in workers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.clouds.store import write_clouds
from src.config import TdaConfig
from src.geometry import displacement
from src.measure.checkpoint import Job, Measurement
from src.measure.layer import Checkpoint
from src.measure.layer_diagrams import read_layer_diagrams
from src.measure.pool import WorkerPool
from src.metrics.derived import path_length
from src.metrics.files import build_table, read_rows
from src.metrics.table import Row, metric_key, with_means
from src.rundir import RunDirectory
from src.system.jsonl import append_jsonl

RIPS = TdaConfig(
    name="vietoris_rips",
    transformer={
        "_target_": "gtda.homology.VietorisRipsPersistence", "metric": "precomputed", "homology_dimensions": [0, 1],
    },
)  # fmt: skip
X = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)


def plant(folder: Path, **clouds: np.ndarray) -> RunDirectory:
    """A run directory with a two-layer cloud per step: `s0=..., s1=...`."""
    run = RunDirectory(folder)
    for name, cloud in clouds.items():
        step = int(name[1:])
        write_clouds(run.clouds(step), {"layer_01": cloud, "layer_02": 2 * cloud}, step=step, probe_hash="x")
    return run


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1) as started:
        yield started


def finish(pool: WorkerPool, job: Job) -> Measurement:
    pool.submit(job)
    return next(pool.collect(wait=True))


Measure = Callable[..., dict[str, float]]


@pytest.fixture
def measure(pool: WorkerPool) -> Measure:
    """Metrics of one checkpoint by step and pairs."""

    def work(
        run: RunDirectory, step: int, *pairs: tuple[int, int], previous: int | None = None, tda: TdaConfig = RIPS
    ) -> dict[str, float]:
        return finish(pool, Job(run, run, Checkpoint(step, pairs, previous), tda)).metrics

    return work


def test_every_metric_of_the_contract_is_there_for_each_layer_and_the_mean(tmp_path: Path, measure: Measure) -> None:
    moved = X + 0.1 * np.random.default_rng(1).normal(size=X.shape).astype(np.float32)
    run = plant(tmp_path, s0=X, s4=X, s5=moved)
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
    metrics = measure(plant(tmp_path, s0=X, s1=X), 0, (0, 1))
    for key, value in metrics.items():
        if key.startswith(("drift", "velocity", "geometry/displacement")):
            assert value == 0, key
    assert not any(key.startswith("naive_velocity") for key in metrics), "there is no checkpoint before the first"


def test_a_uniform_scaling_moves_the_raw_lengths_and_not_the_shape(tmp_path: Path, measure: Measure) -> None:
    metrics = measure(plant(tmp_path, s0=X, s1=2 * X, s2=2 * X), 1, (1, 2), previous=0)
    base = measure(plant(tmp_path / "base", s0=X, s1=X), 0, (0, 1))
    for k in (0, 1):
        raw, shape = f"topology/H{k}/total_persistence/layer_01", f"shape/H{k}/total_persistence/layer_01"
        assert math.isclose(metrics[raw], 2 * base[raw], rel_tol=1e-6)
        assert math.isclose(metrics[shape], base[shape], rel_tol=1e-6)
        assert metrics[f"drift/H{k}/layer_01"] <= 1e-6 * base[shape]


def test_velocity_is_per_step_over_the_lag_and_naive_velocity_over_the_gap(tmp_path: Path, measure: Measure) -> None:
    there = X + 0.2 * np.random.default_rng(2).normal(size=X.shape).astype(np.float32)
    near = measure(plant(tmp_path / "a", s0=X, s1=there), 0, (0, 1))
    far = measure(plant(tmp_path / "b", s0=X, s3=there), 0, (0, 3))
    assert math.isclose(far["velocity/H1/mean"] * 3, near["velocity/H1/mean"])
    assert math.isclose(far["geometry/displacement/mean"] * 3, near["geometry/displacement/mean"])
    later = measure(plant(tmp_path / "c", s0=X, s5=there, s6=there), 5, (5, 6), previous=0)
    assert math.isclose(later["naive_velocity/H1/mean"] * 5, near["velocity/H1/mean"])
    assert math.isclose(later["drift/H1/mean"], near["velocity/H1/mean"])


def test_repeated_pairs_are_averaged_and_kept_one_by_one(tmp_path: Path, measure: Measure) -> None:
    rng = np.random.default_rng(3)
    clouds = {f"s{n}": X + n * 0.1 * rng.normal(size=X.shape).astype(np.float32) for n in range(3)}
    run = plant(tmp_path, **clouds)
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
    done = finish(pool, Job(run, run, Checkpoint(0, ((0, 1),), None), RIPS))
    assert done.metrics["topology/H1/n_bars/layer_02"] == 0
    assert done.metrics["geometry/scale/layer_02"] == 0
    assert "drift/H1/layer_02" not in done.metrics
    assert "topology/H1/total_persistence/layer_02" not in done.metrics
    assert done.metrics["topology/H1/entropy/mean"] == done.metrics["topology/H1/entropy/layer_01"]
    assert done.skipped > 0


def test_activations_that_are_not_finite_name_step_and_layer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = X.copy()
    broken[7, 3] = np.nan
    run = plant(tmp_path, s0=X, s2=broken, s3=X)
    with WorkerPool(1) as pool:
        pool.submit(Job(run, run, Checkpoint(2, ((2, 3),), 0), RIPS))
        assert list(pool.collect(wait=True)) == []
    assert re.search(r"step 2, layer_01: prompt 7 .* not finite", caplog.text)


def test_workers_give_the_same_numbers_in_the_order_of_the_jobs(tmp_path: Path, measure: Measure) -> None:
    rng = np.random.default_rng(4)
    clouds = {f"s{n}": X + 0.1 * n * rng.normal(size=X.shape).astype(np.float32) for n in range(5)}
    alone = [
        measure(plant(tmp_path / "alone", **clouds), n, (n, n + 1), previous=n - 1 if n else None) for n in range(4)
    ]
    for workers in (1, 2):
        run = plant(tmp_path / str(workers), **clouds)
        with WorkerPool(workers) as pool:
            for n in range(4):
                pool.submit(Job(run, run, Checkpoint(n, ((n, n + 1),), n - 1 if n else None), RIPS))
            done = list(pool.collect(wait=True))
        assert [measured.step for measured in done] == [0, 1, 2, 3]
        assert [measured.metrics for measured in done] == alone


def test_a_checkpoint_that_fails_leaves_the_others_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = plant(tmp_path, s0=X, s1=np.full_like(X, np.inf), s2=X, s3=X)
    with WorkerPool(1) as pool:
        for step in (0, 2):
            pool.submit(Job(run, run, Checkpoint(step, ((step, step + 1),), None), RIPS))
        assert [measured.step for measured in pool.collect(wait=True)] == [2]
    assert pool.failed == [0]
    assert "step 1, layer_01" in caplog.text


def test_displacement_is_relative_and_per_step() -> None:
    assert math.isclose(displacement(X, 1.5 * X, lag=5), 0.1, rel_tol=1e-6)
    assert math.isnan(displacement(np.zeros((3, 2)), np.ones((3, 2)), lag=1))


def test_rows_have_their_metric_keys() -> None:
    assert metric_key(Row(0, "velocity", 1.0, "layer_02", 1)) == "velocity/H1/layer_02"
    assert metric_key(Row(0, "topology/n_bars", 1.0, "mean", 0)) == "topology/H0/n_bars/mean"
    assert metric_key(Row(0, "scale", 1.0, "layer_11")) == "geometry/scale/layer_11"


def test_path_length_is_the_integral_of_the_mean_velocity() -> None:
    import pandas as pd

    rows = with_means(Row(step, "velocity", speed, "layer_01", 1) for step, speed in ((0, 1.0), (2, 3.0), (4, 3.0)))
    table = pd.DataFrame([vars(row) for row in rows])
    assert path_length(table, 1) == 10.0
    assert path_length(table, 0) is None


def test_a_job_that_may_not_fit_into_memory_says_the_sizes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tight = replace(RIPS, max_memory_gb=1e-5, workers=1)
    run = plant(tmp_path, s0=X, s1=X)
    with WorkerPool(1) as pool:
        pool.submit(Job(run, run, Checkpoint(0, ((0, 1),), None), tight))
        assert list(pool.collect(wait=True)) == []
    assert pool.failed == [0]
    assert "H1 of 40 points of 8 coordinates may take" in caplog.text
    assert "tda.max_memory_gb" in caplog.text
    with WorkerPool(1) as pool:  # the clouds are on disk: measured later
        pool.submit(Job(run, run, Checkpoint(0, ((0, 1),), None), RIPS))
        assert [measured.step for measured in pool.collect(wait=True)] == [0]


def test_sinks_and_equal_points_are_counted_and_sinks_dropped_for_the_whole_run(
    tmp_path: Path, measure: Measure
) -> None:
    base = X.copy()
    base[3] *= 1000
    base[5] = base[4]
    later = X.copy()
    later[9] *= 1000  # a sink that was none at step 0 stays
    run = plant(tmp_path / "kept", s0=base, s1=later)
    kept = measure(run, 0, (0, 1))
    assert kept["geometry/sinks/layer_01"] == 1
    assert kept["geometry/equal_points/layer_01"] == 1
    run = plant(tmp_path / "dropped", s0=base, s1=later)
    dropped = measure(run, 0, (0, 1), tda=replace(RIPS, drop_sinks=True))
    assert kept["topology/H0/n_bars/layer_01"] == 38, "39 bars, one of them of length 0"
    assert dropped["topology/H0/n_bars/layer_01"] == 37
    assert dropped["topology/H0/max_persistence/layer_01"] < kept["topology/H0/max_persistence/layer_01"] / 100
    diagram = read_layer_diagrams(run.diagrams(1), ["layer_01"])["layer_01"].diagram
    assert diagram[:, 1].max() > 1000


def test_a_projection_says_what_it_keeps(tmp_path: Path, measure: Measure) -> None:
    run = plant(tmp_path, s0=X, s1=X)
    metrics = measure(run, 0, (0, 1), tda=replace(RIPS, components=3))
    assert 0.3 < metrics["geometry/explained_variance/layer_01"] < 0.8


def test_geometry_can_be_left_out(tmp_path: Path, measure: Measure) -> None:
    run = plant(tmp_path, s0=X, s1=X)
    metrics = measure(run, 0, (0, 1), tda=replace(RIPS, geometry=False))
    assert "geometry/scale/mean" in metrics
    assert "geometry/cka_to_base/mean" not in metrics


@pytest.mark.parametrize(
    "half", [b'{"step": 3, "ti', b"\x00\x00", b"\xff\xfe", b'{"step": 3, "timestamp": 1, "metrics": {}}']
)
def test_a_line_that_was_written_by_half_is_left_out_of_the_table(tmp_path: Path, half: bytes) -> None:
    run = RunDirectory(tmp_path)
    for step in (0, 2):
        append_jsonl(run.spool, {"step": step, "timestamp": 1, "metrics": {"behavior/train_loss": float(step)}})
        with run.spool.open("ab") as spool:
            spool.write(half)
    table = build_table(run, [], behavior=run.spool)
    assert list(zip(table.step, table.quantity, table.value, strict=True)) == [
        (0, "train_loss", 0.0), (2, "train_loss", 2.0)
    ]  # fmt: skip
