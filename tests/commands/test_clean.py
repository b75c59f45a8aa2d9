"""`python -m src.clean` lists what could go, removes it when asked, and never what is still needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.rundir import RunDirectory
from src.tracking.journal import try_lock
from tests.support.processes import run_module
from tests.support.removable import make_run
from tests.support.runs import all_runs

NEEDED = ("config.yaml", "topology.parquet", "step_000004/adapter/adapter.safetensors", "step_000004/diagrams.npz")


@pytest.fixture
def runs(place: Path) -> tuple[RunDirectory, RunDirectory]:
    return make_run(Path("multirun/a/b/c/done"), "done"), make_run(Path("multirun/a/b/c/stopped"), "interrupted")


def test_it_lists_and_removes_only_when_asked(place: Path, runs: tuple[RunDirectory, RunDirectory]) -> None:
    done, stopped = runs
    before = sorted(place.rglob("*"))
    listed = run_module("src.clean", cwd=place)
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.splitlines()[-1] == "14 files, 14 MB, could go; yes=true removes it, what=[...] chooses"
    for kind, files in (("partial", 3), ("pages", 3), ("checkpoints", 2), ("adapters", 1), ("clouds", 2)):
        cells = [{part.strip() for part in line.split("│")} for line in listed.stdout.splitlines() if "done" in line]
        assert any({kind, str(files), f"{files} MB"} <= row for row in cells), listed.stdout
    assert sorted(place.rglob("*")) == before
    some = run_module("src.clean", "what=[clouds]", "yes=true", cwd=place)
    assert some.stdout.splitlines()[-1] == "2 files removed, 2 MB are free again"
    refused = run_module("src.analyze", f"run={done.path}", cwd=place)
    assert refused.returncode == 2
    assert "clouds.keep=none" in refused.stderr
    assert run_module("src.clean", "yes=true", cwd=place).returncode == 0
    assert all((run.path / name).exists() for run in runs for name in NEEDED)
    assert not done.last.exists()
    assert all(path.exists() for path in (stopped.last, stopped.base(), stopped.clouds(0), stopped.picture(4)))
    assert not (stopped.path / ".123.topology.parquet").exists()
    assert run_module("src.clean", cwd=place).stdout.strip() == "0 files, 0 MB, could go"


def test_what_a_process_or_an_analysis_needs_stays(place: Path, runs: tuple[RunDirectory, RunDirectory]) -> None:
    done, stopped = runs
    analysis = RunDirectory(done.path / "analysis" / "cosine")
    analysis.path.mkdir(parents=True)
    analysis.write_status("interrupted")
    lock = try_lock(stopped)
    assert lock is not None
    try:
        cleaned = run_module("src.clean", "yes=true", cwd=place)
    finally:
        lock.release()
    assert cleaned.returncode == 0, cleaned.stderr
    assert done.clouds(0).exists()
    assert (stopped.path / ".123.topology.parquet").exists()


def test_another_kind_is_refused_with_those_that_there_are(place: Path) -> None:
    refused = run_module("src.clean", "what=[everything]", cwd=place)
    assert refused.returncode == 2
    assert "must be some of partial, pages, checkpoints, adapters, clouds" in refused.stderr


@pytest.mark.slow
def test_a_run_keeps_the_clouds_that_were_asked_for_and_is_still_done(place: Path) -> None:
    words = ["experiment=smoke", "trainer.max_steps=8", "trainer.warmup_steps=1", "trainer.progress=false"]
    words += ["schedule=list", "schedule.steps=[0,3,6]", "schedule.repeats=1", "probe.size=24", "objective.eval_size=4"]
    done = run_module("src.run", *words, "clouds.keep=last", cwd=place)
    assert done.returncode == 0, done.stderr
    [run] = all_runs(Path())
    assert [step for step in run.steps() if run.clouds(step).exists()] == [0, 6, 7]
    again = run_module("src.run", *words, "clouds.keep=none", cwd=place)
    assert again.stdout.startswith(f"{run.path}: done already, skipped")
    assert not [step for step in run.steps() if run.clouds(step).exists()], "as where a kill came before their removal"
    refused = run_module("src.analyze", f"run={run.path}", cwd=place)
    assert refused.returncode == 2
    assert "its clouds were removed on purpose when it was done (clouds.keep=none" in refused.stderr
    assert run_module("src.sync", cwd=place).stdout.strip() == "1 of 1 runs missed nothing"
    assert run_module("src.clean", "yes=true", cwd=place).returncode == 0
    assert run_module("src.sync", cwd=place).stdout.strip() == "1 of 1 runs missed nothing", "MLflow has the pages"
