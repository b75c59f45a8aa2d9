"""Which stored runs a request finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.config import RequestError
from tests.support.planted import compare


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"sweep": "planned"}, ["sweep=planned", "there are:", "first"]),
        ({"runs": ["nowhere", "multirun"]}, ["runs=[nowhere]", "no run directory, no id"]),
        ({"filter": "tags.model ="}, ["filter=tags.model ="]),
        ({"filter": "tags.model = 'huge'"}, ["filter=tags.model = 'huge'", "finds no run"]),
    ],
)
def test_what_is_not_there_is_named(inside: Path, request_: dict[str, object], named: list[str]) -> None:
    with pytest.raises(RequestError) as refused:
        compare(**request_)
    for part in named:
        assert part in str(refused.value)


def test_runs_are_named_by_directory_or_id(inside: Path) -> None:
    client = MlflowClient(f"sqlite:///{inside}/multirun/mlflow.db")
    experiment = client.get_experiment_by_name("alignment-topology").experiment_id
    wanted = "tags.sweep = 'first' and tags.seed = '1' and tags.model = 'tiny' and tags.objective = 'mixed'"
    run_id = client.search_runs([experiment], wanted)[0].info.run_id
    reported = compare(runs=["multirun/tiny/helpful/vietoris_rips/seed0", run_id])
    assert [run.name for run in reported.runs] == ["tiny helpful seed0", "tiny mixed seed1"]
