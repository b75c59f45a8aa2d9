"""Which stored runs a request finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.comparison.note import write_report_note
from src.config import RequestError
from src.figures.report import render_comparison
from tests.support.planted import FEW, Planted, compare, plant_run


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


HOSTILE = {
    "no number": {"seed": "0; DROP TABLE runs"},
    "too many digits": {"seed": "9" * 5000},
    "other digits": {"seed": "\u0663"},
    "empty": {"seed": ""},
}


def test_a_run_whose_seed_is_no_number_is_left_out_and_said(inside: Path, caplog: pytest.LogCaptureFixture) -> None:
    for tags in HOSTILE.values():
        plant_run(Planted(seed=0, local=False, tags=tags, **FEW), sweep="hostile", bars=0)
    for seed in range(2):
        plant_run(Planted(seed=seed, local=False, **FEW), sweep="hostile", bars=0)
    assert [run.name for run in compare(sweep="hostile").runs] == ["tiny helpful seed0", "tiny helpful seed1"]
    assert caplog.text.count("is no whole number; left out") == len(HOSTILE)
    assert len(caplog.text) < 1500


def test_names_from_a_store_steer_no_terminal_and_become_no_markup(inside: Path) -> None:
    for seed in range(2):
        name = "a\x1b]0;x\x07\u202eb ![x](http://evil/x.png) <script>hostile"
        plant_run(Planted(name, "helpful", seed, local=False, **FEW), sweep="names", bars=0)
    report = render_comparison(compare(sweep="names"))
    for text in (report.page, *report.sentences, *(cell for row in report.rows for cell in row)):
        assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert "<script>hostile" not in report.page
    note = write_report_note(report)
    assert not re.search(r"(?<!\\)[<\[]", note.replace("<br>", "")), "line breaks within a cell are its only markup"
