"""A real MLflow store: nothing lost, nothing not finite, honest ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src.config import Config
from src.rundir.naming import run_name
from src.tracking.journal import EarlierRun
from src.tracking.store import open_store
from src.tracking.tracker import track_run
from tests.support.tracked import configure, directory


@pytest.fixture
def config(stored_here: Path) -> Config:
    return configure()


def test_numbers_go_to_the_spool_and_to_the_store(config: Config) -> None:
    run, store = directory("a"), open_store(config.tracking)
    with track_run(store, config, run, {"kind": "cell"}, None) as tracker:
        tracker.log({f"velocity/H1/layer_{n:04d}": n for n in range(2500)}, 7)  # more than one call takes
        tracker.log({"a": float("nan"), "b": float("inf"), "c": 1.0}, 8)
        tracker.flush()
    assert tracker.skipped == 2
    client, experiment = store.client, store.experiment
    found = client.get_run(run.mlflow_run_id.read_text())
    assert found.info.status == "FINISHED"
    assert found.data.tags["kind"] == "cell"
    assert found.data.params["objective.name"] == "mixed"
    assert len(found.data.metrics) == 2501
    assert client.get_metric_history(found.info.run_id, "c")[0].step == 8
    lines = [json.loads(line) for line in run.spool.read_text().splitlines()]
    assert [line["step"] for line in lines] == [7, 8]
    assert lines[1]["metrics"] == {"c": 1.0}
    location = client.get_experiment(experiment).artifact_location
    assert location == (Path.cwd() / "multirun" / "mlartifacts").as_uri(), "never below the current directory"


@pytest.mark.parametrize(("error", "status"), [(RuntimeError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_run_ends_as_what_it_was(config: Config, error: type[BaseException], status: str) -> None:
    run, store = directory("a"), open_store(config.tracking)

    def interrupted() -> None:
        with track_run(store, config, run, {}, None) as tracker:
            tracker.log({"x": 1.0}, 0)
            raise error

    with pytest.raises(error):
        interrupted()
    found = store.client.get_run(run.mlflow_run_id.read_text())
    assert found.info.status == status
    assert found.data.metrics == {"x": 1.0}


def test_a_start_that_replaces_another_retires_its_run(config: Config) -> None:
    run, store = directory("a"), open_store(config.tracking)
    left_over = store.client.create_run(
        store.experiment, run_name=run_name(config)
    ).info.run_id  # as after a SIGKILL: RUNNING for ever
    with track_run(store, config, run, {}, EarlierRun(left_over)):
        pass
    active = store.client.search_runs([store.experiment])
    assert [found.info.run_id for found in active] == [run.mlflow_run_id.read_text()]
    assert store.client.get_run(left_over).info.status == "KILLED"
