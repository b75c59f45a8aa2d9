"""`schedule.lag=auto`: chosen by a trial, recorded, kept by a resumed run, and known to an analysis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.processes import run_module
from tests.support.runs import run_cell

pytestmark = pytest.mark.slow
WORDS = ["schedule.lag=auto", "trainer.max_steps=12", "schedule.early=2", "schedule.late=2", "tda.null_draws=0"]


def test_in_float32_one_step_is_far_above_the_floor_and_the_run_is_that_of_lag_1(tmp_path: Path) -> None:
    chosen = run_cell(tmp_path, *WORDS, "tda.subsamples=0")
    assert json.loads(chosen.run.lag.read_text())["lag"] == 1
    assert "schedule.lag=auto: lag 1; first pairs beside the rounding floor: lag 1:" in chosen.stderr
    assert chosen.tracked.data.params["schedule.lag"] == "1"
    given = run_cell(tmp_path, *WORDS[1:], "tda.subsamples=0")
    assert chosen.run.path != given.run.path
    assert chosen.losses() == given.losses()
    assert chosen.history("velocity/H1/layer_02") == given.history("velocity/H1/layer_02")


def test_in_bfloat16_a_longer_one_is_taken_and_kept(tmp_path: Path) -> None:
    words = [*WORDS, "tda.subsamples=0", "probe.precision=bfloat16", "trainer.lr_schedule=constant"]
    cell = run_cell(tmp_path, *words, "trainer.learning_rate=1e-4")
    chosen = json.loads(cell.run.lag.read_text())
    lag, tried = chosen["lag"], {int(lag): times for lag, times in chosen["times_floor"].items()}
    assert lag == max(tried) > 1
    assert all(times < 10 for shorter, times in tried.items() if shorter < lag)
    assert cell.tracked.data.params["schedule.lag"] == str(lag)
    again = run_module("src.run", "experiment=smoke", *words, "trainer.learning_rate=1e-4", cwd=tmp_path)
    assert "done already, skipped" in again.stdout, again.stderr
    done = run_module("src.analyze", f"run={cell.run.path}", "tda.metric=cosine", "tda.null_draws=0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    refused = run_module("src.analyze", f"run={cell.run.path}", f"schedule.lag={2 * lag + 1}", cwd=tmp_path)
    assert refused.returncode == 2
    assert f"this run's clouds lie {lag}, {2 * lag} steps after a checkpoint" in refused.stderr
