"""Standardized distances beside the first metric: where two coordinates hide the others, once for the whole run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.clouds.store import write_clouds
from src.config import TdaConfig
from src.measure.checkpoint import Job
from src.measure.layer import CheckpointSteps
from src.measure.pool import WorkerPool
from src.measure.second import has_second_metric
from src.metrics.files import read_rows, write_rows
from src.rundir import RunDirectory
from tests.support.builders import RIPS, method_of, plant_clouds
from tests.support.measuring import measure_job
from tests.validity import plant

DRAWN = replace(RIPS, subsamples=4, null_draws=12)
AT = CheckpointSteps(0, ((0, 1),), None)
PREFIX = "standardized/"


@pytest.fixture(scope="module")
def hidden() -> dict[str, np.ndarray]:
    """Contracting clusters, beside two coordinates 100 x as wide that only jitter."""
    rng = np.random.default_rng(0)
    x, labels = plant.clustered(rng, 96, 32)
    before, after = plant.beside_outliers(rng, x, plant.step(x, plant.contraction(x, labels)))
    return {"s0": before.astype(np.float32), "s1": after.astype(np.float32)}


def of_second(metrics: dict[str, float]) -> dict[str, float]:
    return {key.removeprefix(PREFIX): value for key, value in metrics.items() if key.startswith(PREFIX)}


def test_what_two_wide_coordinates_hide_is_found_beside(
    tmp_path: Path, pool: WorkerPool, hidden: dict[str, np.ndarray]
) -> None:
    run = plant_clouds(tmp_path, **hidden)
    metrics = measure_job(pool, Job(run, run, AT, DRAWN)).metrics
    assert metrics["geometry/dominant_share/layer_01"] > 0.9
    assert metrics["excess/H0/mean"] < 2 < 3 < of_second(metrics)["excess/H0/mean"]
    assert of_second(metrics)["excess_p/H0/mean"] < 0.01 < metrics["excess_p/H0/mean"]
    rows = read_rows(run.metrics(0))[0].set_index(["quantity", "layer", "dimension", "sample", "pair_step"])
    velocity = rows.loc[(f"{PREFIX}velocity", "mean", 0, -1, -1)]
    assert velocity.low < velocity.value < velocity.high


def test_it_is_the_measurement_by_that_metric_without_what_no_metric_changes(
    tmp_path: Path, pool: WorkerPool, hidden: dict[str, np.ndarray]
) -> None:
    both = measure_job(pool, Job(*[plant_clouds(tmp_path / "a", **hidden)] * 2, AT, DRAWN)).metrics
    alone = measure_job(
        pool, Job(*[plant_clouds(tmp_path / "b", **hidden)] * 2, AT, replace(DRAWN, second_metric="none"))
    )
    other = replace(DRAWN, metric="standardized")
    standardized = measure_job(pool, Job(*[plant_clouds(tmp_path / "c", **hidden)] * 2, AT, other)).metrics
    assert {key: value for key, value in both.items() if not key.startswith(PREFIX)} == alone.metrics
    assert of_second(both).items() <= standardized.items()
    left_out = {key.split("/")[1] for key in standardized.keys() - of_second(both).keys()}
    assert left_out == {
        "points", "sinks", "equal_points", "effective_rank", "participation_ratio", "cka_to_base", "anisotropy",
        "dominant_share", "mean_norm",
    }  # fmt: skip


def test_one_layer_at_step_0_decides_for_the_whole_run(tmp_path: Path, hidden: dict[str, np.ndarray]) -> None:
    run, plain = RunDirectory(tmp_path), np.random.default_rng(0).normal(size=(96, 32))
    for step, wide in enumerate((plain, hidden["s0"])):
        write_clouds(run.clouds(step), {"layer_01": plain, "layer_02": wide}, step=step, probe_hash="x")
    assert not has_second_metric(run, RIPS), "what comes later does not count"
    write_clouds(run.clouds(0), {"layer_01": plain, "layer_02": hidden["s0"]}, step=0, probe_hash="x")
    assert has_second_metric(run, RIPS)
    assert not has_second_metric(run, replace(RIPS, second_metric="none"))
    for metric in ("cosine", "standardized"):
        assert not has_second_metric(run, replace(RIPS, metric=metric)), "these see no such coordinates"
    assert has_second_metric(run, replace(RIPS, metric="cosine", second_metric="standardized"))


@pytest.mark.parametrize("tda", [method_of("cech"), replace(RIPS, metric="cosine")], ids=["points", "cosine"])
def test_it_stands_beside_any_method_and_metric_that_asks_for_it(
    tmp_path: Path, pool: WorkerPool, tda: TdaConfig
) -> None:
    x = np.random.default_rng(1).normal(size=(40, 3)) + 5
    run = plant_clouds(tmp_path, s0=x, s1=x + 0.01)
    tda = replace(tda, second_metric="standardized", subsamples=0, null_draws=0)
    metrics = measure_job(pool, Job(run, run, AT, tda)).metrics
    assert metrics[f"{PREFIX}topology/H0/n_bars/mean"] == 39


def test_resumed_it_is_the_same_with_each_diagram_made_once_unless_it_is_damaged(
    tmp_path: Path, hidden: dict[str, np.ndarray]
) -> None:
    run = plant_clouds(tmp_path, **hidden)
    second = run.with_metric("standardized")
    files = [each.diagrams(step) for each in (run, second) for step in (0, 1)]

    def measure() -> dict[str, float]:
        run.metrics(0).unlink(missing_ok=True)
        with WorkerPool(1) as pool:
            return measure_job(pool, Job(run, run, AT, replace(DRAWN, null_draws=0))).metrics

    first, made = measure(), [path.stat().st_mtime_ns for path in files]
    assert measure() == first
    assert [path.stat().st_mtime_ns for path in files] == made
    second.diagrams(1).write_bytes(second.diagrams(1).read_bytes()[:-40])
    assert measure() == first
    assert list(second.diagrams(1).parent.glob("*.damaged"))
    assert [path.stat().st_mtime_ns for path in files][:3] == made[:3]


def test_half_a_run_of_an_earlier_version_is_measured_alike(tmp_path: Path, hidden: dict[str, np.ndarray]) -> None:
    plain = np.random.default_rng(0).normal(size=(96, 32))
    for name, clouds, measured_again in (("wide", hidden, True), ("even", {"s0": plain, "s1": plain}, False)):
        run = plant_clouds(tmp_path / name, **clouds)
        write_rows(run.metrics(0), [], skipped=0, seconds=1.0)
        with WorkerPool(1) as pool:
            metrics = measure_job(pool, Job(run, run, AT, replace(DRAWN, null_draws=0))).metrics
        assert bool(of_second(metrics)) == bool(metrics) == measured_again
        assert ("metrics" in json.loads(run.metrics(0).read_text())) == measured_again
