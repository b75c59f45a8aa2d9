"""`experiment=study`, `study_real` and `controls` in short, and the comparison of what they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.rundir.state import load_config
from tests.support.processes import run_module
from tests.support.runs import all_runs, spooled

pytestmark = pytest.mark.slow

SHORT = (
    "trainer.max_steps=6", "trainer.progress=false", "schedule.early=2", "schedule.late=2", "probe.size=24",
    "objective.eval_size=4",
)  # fmt: skip


def test_the_study_is_two_sweeps_one_for_each_schedule(tmp_path: Path) -> None:
    done = run_module("src.run", "experiment=study", *SHORT, "objective=helpful", "seed=0", cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" done ") == 4
    for sweep, rate in (("study_constant", "constant"), ("study_linear", "linear")):
        reported = run_module("src.compare", f"sweep={sweep}", cwd=tmp_path)
        assert reported.returncode == 0, reported.stderr
        assert "2 runs" in reported.stdout
        configurations = [load_config(run) for run in all_runs(tmp_path)]
        chosen = [config.trainer for config in configurations if config.sweep == sweep]
        assert len(chosen) == 2
        assert {trainer.lr_schedule for trainer in chosen} == {rate}
        assert {trainer.warmup_steps for trainer in chosen} == {0 if rate == "constant" else 10}


def test_the_study_of_a_model_of_ones_own(tmp_path: Path, shared_data: Path) -> None:
    real = (
        f"model.path={shared_data}/models/stories260k",
        f"objective.data_dir={shared_data}/hh-rlhf",
        "objective=helpful,harmless",
    )
    done = run_module("src.run", "experiment=study_real", *real, *SHORT, "seed=0", cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" done ") == 2
    reported = run_module("src.compare", "sweep=study_real", cwd=tmp_path)
    assert reported.returncode == 0, reported.stderr
    assert "stories260k" in reported.stdout


def test_the_controls_train_on_three_kinds_of_replies_and_one_report_compares_them(tmp_path: Path) -> None:
    done = run_module("src.run", "experiment=controls", *SHORT, "seed=0", cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    runs = {run.path.parts[-3]: run for run in all_runs(tmp_path)}
    assert sorted(runs) == ["chosen_replies", "rejected_replies", "shuffled_replies"]
    losses = {name: [v for k, v, _, step in spooled(run) if k == "behavior/train_loss"] for name, run in runs.items()}
    assert len({str(values) for values in losses.values()}) == 3, "each learns something else"
    starts = {
        name: [v for k, v, _, step in spooled(run) if k == "behavior/eval_loss_harmless" and step == 0]
        for name, run in runs.items()
    }
    assert len({str(values) for values in starts.values()}) == 1, "and is judged by the same"
    reported = run_module("src.compare", "sweep=controls", cwd=tmp_path)
    assert reported.returncode == 0, reported.stderr
    assert "3 runs" in reported.stdout
