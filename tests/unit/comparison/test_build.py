"""What is told of stored runs that are compared."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from src.comparison.build import log_report, study_run
from src.comparison.select import find_runs
from src.config import TrackingConfig
from src.config.commands import CompareConfig
from src.figures.comparison import draw_grid
from src.figures.panels import Line
from src.figures.report import Comparison, render_comparison
from src.figures.sensitivity import render_sensitivity
from src.findings import run_findings
from src.rundir.naming import directory_of_comparison
from src.tracking.store import open_store
from tests.support.planted import FEW, PULLS, Planted, compare, plant_run, plant_table


def test_what_is_not_there_says_why(comparison: Comparison) -> None:
    assert len(comparison.runs) == 16
    assert comparison.gaps == {
        ("tiny", "harmless", 2): "failed: OutOfMemoryError: no memory left",
        ("tiny_instruct", "mixed", 1): "missing",
    }


def test_a_run_has_the_findings_of_its_whole_table(comparison: Comparison) -> None:
    """From its directory or from MLflow, although less of the table is kept."""
    for objective in ("helpful", "mixed"):
        whole = run_findings(plant_table(Planted("tiny", objective, 1, PULLS[objective])))
        own = comparison.run_findings[f"tiny {objective} seed1"]
        assert {key: (f.value, str(f.low), f.sentence) for key, f in whole.items() if f.value == f.value} == {
            key: (f.value, str(f.low), f.sentence) for key, f in own.items() if f.value == f.value
        }


def test_planted_differences_are_told(comparison: Comparison) -> None:
    reported = "\n".join(comparison.sentences)
    assert "tiny: The trajectories of harmless, helpful and mixed are separable" in reported
    assert comparison.group_findings["twins_p", "tiny / tiny_instruct"].called


def test_a_second_comparison_takes_the_place_of_the_first(inside: Path) -> None:
    for objective in PULLS:
        plant_run(Planted(objective=objective, **FEW, local=False), sweep="again")
    request, store = CompareConfig(sweep="again"), open_store(TrackingConfig())
    report, directory = render_comparison(compare(sweep="again")), directory_of_comparison(request)
    for _ in range(2):
        log_report(store, request, report, directory)
    found = store.client.search_runs([store.experiment], "tags.kind = 'comparison' and tags.sweep = 'again'")
    assert [run.info.status for run in found] == ["FINISHED"]
    assert "- tiny: Whether the trajectories are separable" in found[0].data.tags["mlflow.note.content"]
    stored = {item.path for item in store.client.list_artifacts(found[0].info.run_id)}
    assert stored == {"report.html", *report.pictures}
    assert {"trajectories.png", "velocity_H1.png", "excess_H0.png", "against.png"} <= stored
    assert directory.read_status()["state"] == "done"


def test_unequal_schedules_are_compared_where_they_meet(inside: Path) -> None:
    for seed, steps in enumerate(((0, 1, 2, 4, 8, 16), (0, 2, 4, 6, 8))):
        plant_run(Planted(seed=seed, **(FEW | {"steps": steps}), local=False), sweep="unequal")
    reported = compare(sweep="unequal")
    assert "schedules are unequal, 5 to 6 checkpoints" in reported.sentences[0]
    assert "4 steps that all of them have (0, 2, 4, 8)" in reported.sentences[0]
    line = draw_grid(reported.runs, 1).rows[0][0].marks[1]
    assert isinstance(line, Line)
    assert list(line.x) == [1, 3, 5, 9]


def test_settings_that_differ_are_listed(inside: Path) -> None:
    for seed in range(2):
        params = {"trainer.batch_size": str(8 * (1 + seed))}
        plant_run(Planted(seed=seed, **FEW, params=params, local=False), sweep="settings")
    assert compare(sweep="settings").settings == {
        "trainer.batch_size": {"8": ["tiny helpful seed0"], "16": ["tiny helpful seed1"]}
    }


def test_one_run_measured_in_several_ways_tells_what_hangs_on_a_choice(inside: Path) -> None:
    """A peak that only the cosine metric shows."""
    source = plant_run(Planted(seed=7, local=False), sweep="studied", bars=0)
    flat = plant_table(Planted(seed=7))
    flat.loc[flat.quantity == "velocity", "value"] = 0.02
    for params, table in (({"tda.points": "128"}, None), ({"tda.metric": "cosine", "schedule.lag": "2"}, flat)):
        tags = {"kind": "analysis", "source_run": source}
        plant_run(Planted(seed=7, tags=tags, params=params, local=False), table=table, bars=0)
    store, request = open_store(TrackingConfig()), CompareConfig(filter=f"tags.source_run = '{source}'")
    study = study_run(store, find_runs(store, request))
    assert list(study.variants) == ["as measured", "tda.points=128", "tda.metric=cosine, schedule.lag=2"]
    assert list(study.layers) == ["layer_01", "layer_02", "layer_03"]
    report = render_sensitivity(study)
    reported = "\n".join(report.sentences)
    assert "H1 peak ratio: hangs on the choice: called under 2 of 3 ways of measuring, " in reported
    assert "nothing beyond chance under tda.metric=cosine, schedule.lag=2" in reported
    assert "H1 excess early: nothing beyond chance under all 3 layers" in reported
    assert report.rows[0] == ["as measured", source]
    assert "tda.metric=cosine, schedule.lag=2" in report.page


def _rounding(run: Planted) -> pd.DataFrame:
    table = plant_table(run)
    return table.assign(value=table.value.where(table.quantity != "below_floor", 1.0))


def test_runs_whose_velocities_are_rounding_are_told_of_and_nothing_is_made_of_them(place: Path) -> None:
    for n, objective in enumerate(PULLS):
        run = Planted(objective=objective)
        plant_run(run, sweep="one", table=_rounding(run) if n == 0 else None)
        other = Planted(model="coarse", objective=objective)
        plant_run(other, sweep="all", table=_rounding(other))
    for sweep, rounded in (("one", 1), ("all", 3)):
        comparison = compare(sweep=sweep)
        limits = [found["limits", -1].sentence for found in comparison.run_findings.values() if ("limits", -1) in found]
        assert sum("These velocities are rounding" in sentence for sentence in limits) == rounded
        assert "These velocities are rounding" in render_comparison(comparison).page
    assert ("peak_ratio", 1) not in compare(sweep="all").run_findings["coarse helpful seed0"]
