"""`trainer.stop=topology`: a run that must stop, one that must not, and one that is killed as it stops."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.rundir import RunDirectory
from tests.support.runs import Reference, finish, only_run, start

WORDS = (
    "trainer.max_steps=24", "schedule=every", "schedule.interval=2", "schedule.repeats=1", "schedule.dense_windows=0",
    "probe.size=24", "trainer.stop=topology", "trainer.stop_patience=5",
)  # fmt: skip
STOPPED = 15
"""Where the pair of the first checkpoint ends that has five late ones, of steps 4 to 12, before it."""


def words(band: float) -> tuple[str, ...]:
    return (*WORDS, f"trainer.stop_band={band:g}")


def stopped_at(folder: Path, run: RunDirectory) -> tuple[object, object, int]:
    """Of the status, of MLflow's tags, and the last step that is there."""
    tags = MlflowClient(f"sqlite:///{folder}/multirun/mlflow.db").get_run(run.mlflow_run_id.read_text()).data.tags
    return run.read_status()["summary"].get("last_step"), tags.get("stopped_at"), max(run.steps())


@pytest.mark.slow
def test_a_run_stops_inside_the_band_and_stops_there_again_where_it_was_killed(tmp_path: Path) -> None:
    reference = Reference.make(tmp_path, *words(1000))
    run = only_run(tmp_path)
    status = run.read_status()
    assert status["state"] == "done"
    assert stopped_at(tmp_path, run) == (STOPPED, str(STOPPED), STOPPED)
    assert status["summary"]["checkpoints"] == 8
    assert "9 steps saved" in status["summary"]["stopped"]
    assert all(None not in ends for ends in status["summary"]["before_after"].values()), "judged at the end"
    # Killed after the state was saved, before it was decided upon: nothing but the status says that it was done.
    run.write_status("interrupted", config_hash=status["config_hash"], reason="killed")
    finish(start(tmp_path, *words(1000)))
    assert stopped_at(tmp_path, run) == (STOPPED, str(STOPPED), STOPPED)
    assert reference.differences(run, tmp_path / "multirun" / "mlflow.db") == []


@pytest.mark.slow
def test_a_run_that_is_not_inside_the_band_takes_all_steps(tmp_path: Path) -> None:
    finish(start(tmp_path, *words(1.001)))
    run = only_run(tmp_path)
    assert run.read_status()["state"] == "done"
    assert stopped_at(tmp_path, run) == (None, None, 23)
    assert run.read_status()["summary"]["checkpoints"] == 12
