"""Runs with random updates of the trained weights: the same training, more numbers, and no trace of a fault."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from src.rundir import RunDirectory
from src.training.fit import read_last_step
from tests.support.processes import run_module
from tests.support.runs import Cell, Reference, arrays, finish, only_run, points_of, run_cell, spooled, start

pytestmark = pytest.mark.slow

DRAWS = "tda.weight_draws=3"
FEW = ("trainer.max_steps=10", "schedule.late=2", "trainer.progress=false")


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    return run_cell(tmp_path_factory.mktemp("without"), *FEW)


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    return run_cell(tmp_path_factory.mktemp("drawn"), *FEW, DRAWS)


def drawn_steps(run: RunDirectory) -> list[int]:
    return [step for step in run.steps() if run.weight_clouds(step)]


def test_all_that_a_run_without_them_has_is_the_same(cell: Cell, without: Cell) -> None:
    assert cell.losses() == without.losses()
    ours, theirs = dict(arrays(cell.run)), arrays(without.run)
    assert theirs.items() <= ours.items(), "adapters, clouds and diagrams, bit for bit"
    assert all("random_updates/" in name for name in ours.keys() - theirs.keys())
    more = set(points_of(spooled(cell.run))) - set(points_of(spooled(without.run)))
    assert {key.split("/")[0] for key, _, _ in more} == {
        "weights_velocity", "weights_excess", "weights_excess_p", "finding",
    }  # fmt: skip
    assert set(points_of(spooled(without.run))) <= set(points_of(spooled(cell.run)))


def test_the_excess_against_them_is_in_mlflow_in_the_table_and_in_the_note(cell: Cell, without: Cell) -> None:
    steps = drawn_steps(cell.run)
    checkpoints = sorted(cell.history("velocity/H1/mean"))
    assert steps[0] == 0
    assert steps[-1] == checkpoints[-1]
    assert set(steps) <= set(checkpoints)
    table = pd.read_parquet(cell.run.table)
    for k in (0, 1):
        for layer in ("layer_01", "layer_06", "mean"):
            for name in ("weights_velocity", "weights_excess", "weights_excess_p"):
                assert sorted(cell.history(f"{name}/H{k}/{layer}")) == steps
        draws = table.query(f"quantity == 'weights_velocity' and dimension == {k} and layer == 'mean' and sample >= 0")
        assert sorted(draws.step) == sorted(3 * steps)
        assert f"finding/weights_excess/H{k}" in cell.tracked.data.metrics
    notes = [one.tracked.data.tags["mlflow.note.content"] for one in (cell, without)]
    assert "at some checkpoints from 3 random updates of the trained weights" in notes[0]
    assert "Against random updates of the trained weights" in notes[0]
    assert "random updates" not in notes[1]


def test_an_analysis_uses_the_clouds_that_are_there_and_says_what_is_missing(cell: Cell, without: Cell) -> None:
    def analyze(source: Cell, *words: str) -> subprocess.CompletedProcess[str]:
        return run_module("src.analyze", f"run={source.run.path}", *words, cwd=source.cwd)

    done = analyze(cell, "tda.metric=cosine", DRAWS)
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(next((cell.run.path / "analysis").rglob("topology.parquet")))
    assert sorted(set(table[table.quantity == "weights_excess"].step)) == drawn_steps(cell.run)
    for source, words, named in (
        (without, [DRAWS], "holds no clouds of random updates"),
        (cell, ["tda.weight_draws=4"], "tda.weight_draws=4: "),
        (cell, [DRAWS, "tda.weight_steps=[0,99]"], "no random updates are stored at 99; choose among 0"),
    ):
        refused = analyze(source, *words)
        assert refused.returncode == 2
        assert named in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    first = cell.run.weight_cloud(0, 0)
    first.parent.rename(first.parent.with_name("away"))
    for note in ("there", "gone, as of an earlier version"):
        refused = analyze(cell, "tda.metric=standardized", DRAWS)
        assert refused.returncode == 2, note
        assert f"{first.relative_to(cell.cwd)}: damaged (it" in refused.stderr, note
        first.parent.with_suffix(".json").unlink(missing_ok=True)
    first.parent.with_name("away").rename(first.parent)


def test_a_run_in_which_nothing_moves_says_that_none_was_measured(tmp_path: Path) -> None:
    still = run_cell(tmp_path, *FEW, DRAWS, "trainer.learning_rate=0")
    assert drawn_steps(still.run) == []
    assert (
        "no excess against random updates of the trained weights (`tda.weight_draws=3`)"
        in (still.tracked.data.tags["mlflow.note.content"])
    )


# Runs that are stopped within a pair.

LONG_PAIRS = ("tda.weight_draws=2", "schedule.lag=4", "schedule.repeats=1")


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference.make(tmp_path_factory.mktemp("reference"), *LONG_PAIRS)


@pytest.mark.parametrize(
    ("signum", "damaged"), [(signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGKILL, False)]
)
def test_a_run_that_is_stopped_within_a_pair_becomes_the_undisturbed_one(
    signum: signal.Signals, damaged: bool, reference: Reference, tmp_path: Path
) -> None:
    process = start(tmp_path, *LONG_PAIRS)
    wait_for(process, tmp_path, "step_000000/adapter/adapter_model.safetensors")
    if signum == signal.SIGKILL:
        wait_for(process, tmp_path, "step_000004/clouds.safetensors")
    process.send_signal(signum)
    process.communicate(timeout=60)
    run = only_run(tmp_path)
    if signum == signal.SIGTERM:
        assert (read_last_step(run) or 0) < 4
        saved = torch.load(run.last, weights_only=True)["callbacks"]["Checkpoints"]["weight_null"]
        assert 0 in saved["starts"], "the weights that the pair began with"
    if damaged:
        clouds = bytearray(run.clouds(0).read_bytes())
        clouds[len(clouds) // 2] ^= 1
        run.clouds(0).write_bytes(clouds)
    finish(start(tmp_path, *LONG_PAIRS))
    assert any("random_updates/" in name for name in reference.arrays)
    assert reference.differences(run, tmp_path / "multirun" / "mlflow.db") == []


def wait_for(process: subprocess.Popen[str], folder: Path, name: str) -> None:
    deadline = time.monotonic() + 240
    while not list(folder.rglob(name)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
