"""`experiment=study` and `experiment=study_real` in short, and the comparison of what they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.rundir.state import load_config

from .conftest import run_module
from .faults import all_runs

pytestmark = pytest.mark.slow

SHORT = (
    "trainer.max_steps=6", "trainer.progress=false", "schedule.early=2", "schedule.late=2", "probe.size=24",
    "objective=helpful,harmless", "objective.eval_size=4",
)  # fmt: skip


def test_the_study_is_two_sweeps_one_for_each_schedule(tmp_path: Path) -> None:
    done = run_module("src.run", "experiment=study", *SHORT, "seed=0", cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" done ") == 8
    for sweep, rate in (("study_constant", "constant"), ("study_linear", "linear")):
        told = run_module("src.compare", f"sweep={sweep}", cwd=tmp_path)
        assert told.returncode == 0, told.stderr
        assert "4 runs" in told.stdout
        configurations = [load_config(run) for run in all_runs(tmp_path)]
        chosen = [config.trainer for config in configurations if config.sweep == sweep]
        assert len(chosen) == 4
        assert {trainer.lr_schedule for trainer in chosen} == {rate}
        assert {trainer.warmup_steps for trainer in chosen} == {0 if rate == "constant" else 10}


def test_the_study_of_a_model_of_ones_own(tmp_path: Path, shared_data: Path) -> None:
    real = (f"model.path={shared_data}/models/stories260k", f"objective.data_dir={shared_data}/hh-rlhf")
    done = run_module("src.run", "experiment=study_real", *real, *SHORT, "seed=0,1", cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" done ") == 4
    told = run_module("src.compare", "sweep=study_real", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "stories260k" in told.stdout
