"""A run that is measured by a second metric as well, as a user runs it, and its clouds analysed again."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from src.metrics.second import split_table
from tests.support.processes import run_module
from tests.support.runs import Cell, run_cell

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    words = ["tda.second_metric=standardized", "trainer.max_steps=10", "schedule.late=2"]
    return run_cell(tmp_path_factory.mktemp("both"), *words)


def test_every_key_that_hangs_on_the_metric_is_there_twice(cell: Cell) -> None:
    metrics = cell.tracked.data.metrics
    second = {key.removeprefix("standardized/") for key in metrics if key.startswith("standardized/")}
    assert second <= metrics.keys()
    assert {key.split("/")[0] for key in metrics.keys() - second if not key.startswith("standardized/")} == {
        "geometry", "behavior", "cost", "finding",
    }  # fmt: skip
    for layer in ("layer_01", "layer_06", "mean"):
        for k in (0, 1):
            for name in (
                "drift",
                "velocity",
                "naive_velocity",
                "excess",
                "excess_p",
                "independent_excess",
                "coherence",
            ):
                assert f"{name}/H{k}/{layer}" in second
            assert {f"topology/H{k}/entropy/{layer}", f"shape/H{k}/total_persistence/{layer}"} <= second
            assert f"floor/velocity_H{k}/{layer}" in second
        for name in ("scale", "displacement", "rigid_share", "distance_change"):
            assert f"geometry/{name}/{layer}" in second
    assert cell.history("standardized/velocity/H1/mean").keys() == cell.history("velocity/H1/mean").keys()
    assert metrics["cost/skipped_metrics"] == 0


def test_the_note_says_what_it_says_and_its_diagrams_are_kept(cell: Cell) -> None:
    tracked = cell.tracked
    note = tracked.data.tags["mlflow.note.content"]
    assert note.count("Measured beside with standardized distances (`standardized/...`), the mean excess") == 1
    assert "Measured beside with standardized distances" in cell.stdout
    steps = {item.path for item in cell.client.list_artifacts(tracked.info.run_id, "standardized/diagrams")}
    assert {path.removeprefix("standardized/") for path in steps} == {
        item.path for item in cell.client.list_artifacts(tracked.info.run_id, "diagrams")
    }


def test_an_analysis_of_its_clouds_gives_the_same_numbers(cell: Cell) -> None:
    tables = {}
    for word in ("tda.second_metric=standardized", "tda.metric=standardized"):
        done = run_module("src.analyze", f"run={cell.run.path}", word, cwd=cell.cwd)
        assert done.returncode == 0, done.stderr
        (path,) = set((cell.run.path / "analysis").rglob("topology.parquet")) - set(tables.values())
        tables[word] = path
    run, again, alone = (pd.read_parquet(path) for path in (cell.run.table, *tables.values()))
    pd.testing.assert_frame_equal(again, run)
    second = split_table(run)[1]
    same = alone[alone.quantity.isin(set(second.quantity))]
    pd.testing.assert_frame_equal(_ordered(same), _ordered(second))


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values([name for name in table if name not in ("value", "low", "high")], ignore_index=True)


def test_left_to_the_clouds_the_embedded_model_needs_none(cell: Cell, tmp_path: Path) -> None:
    shares = pd.read_parquet(cell.run.table).query("quantity == 'dominant_share'").value
    assert 0 < shares.max() < 0.5
    assert not math.isnan(shares.max())
    done = run_module("src.analyze", f"run={cell.run.path}", "tda.subsamples=0", "tda.null_draws=0", cwd=cell.cwd)
    assert done.returncode == 0, done.stderr
    assert "standardized" not in done.stdout
