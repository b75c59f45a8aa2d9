"""`python -m src.compare` on made-up runs in a real store: what is told, what is drawn, what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from src.compare import load_runs, quote_filter
from src.comparison.build import compare_runs, log_report, study_run
from src.comparison.select import find_runs
from src.config import RequestError, TrackingConfig
from src.config.commands import CompareConfig
from src.figures.comparison import depth_edges, draw_depth, draw_grid, over_seeds
from src.figures.diagrams import FINENESS, MAX_BARS, choose_steps, show_diagrams
from src.figures.panels import Band, Dots, Heat, Line
from src.figures.plane import draw_plane, place_runs
from src.figures.report import Comparison, render_comparison
from src.figures.sensitivity import render_sensitivity
from src.findings import run_findings
from src.metrics.table import COLUMNS
from src.rundir.naming import directory_of_comparison
from src.tracking.store import open_store

from .conftest import ROOT, run_module
from .planted import STEPS, Planted, plant_run, plant_table

NASTY = "<img src=x onerror=alert(1)>$\\no$"
"""A name that a page must not take for markup, nor a picture for mathematics."""
PULLS = {"helpful": 1.0, "harmless": 2.0, "mixed": 4.0}
FEW = {"steps": (0, 1, 4), "layers": 1, "halves": 2}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Twins x three objectives x three seeds; one failed, one is missing, the mixed ones are only in MLflow."""
    cwd = tmp_path_factory.mktemp("planted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        for model, objective, seed in product(("tiny", "tiny_instruct"), PULLS, range(3)):
            pull = PULLS[objective] * (1 if model == "tiny" else 1.5)
            run = Planted(model, objective, seed, pull, local=objective != "mixed")
            if (model, objective, seed) == ("tiny", "harmless", 2):
                run = replace(run, status="FAILED")
            if (model, objective, seed) != ("tiny_instruct", "mixed", 1):
                plant_run(run, bars=0 if seed else 20)
        yield cwd


@pytest.fixture(scope="module")
def comparison(sweep: Path) -> Iterator[Comparison]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(sweep)
        yield compare(sweep="first")


@pytest.fixture
def inside(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the sweep, as the current one."""
    monkeypatch.chdir(sweep)
    return sweep


def compare(**request: object) -> Comparison:
    store, config = open_store(TrackingConfig()), CompareConfig(**request)  # type: ignore[arg-type]
    return compare_runs(store, config, find_runs(store, config))


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
        assert {key: (f.value, f.low, f.sentence) for key, f in whole.items() if f.value == f.value} == {
            key: (f.value, f.low, f.sentence) for key, f in own.items() if f.value == f.value
        }


def test_planted_differences_are_told(comparison: Comparison) -> None:
    told = "\n".join(comparison.sentences)
    assert "tiny: The trajectories of harmless, helpful and mixed are separable" in told
    assert comparison.group_findings["twins_p", "tiny / tiny_instruct"].called


def test_seeds_are_drawn_as_their_mean_within_their_widest_bounds(comparison: Comparison) -> None:
    seeds = [run for run in comparison.runs if (run.model, run.objective) == ("tiny", "helpful")]
    drawn = over_seeds(seeds, "velocity", 1)
    whole = [
        run.table.query("quantity == 'velocity' and layer == 'mean' and dimension == 1 and sample == -1")
        for run in seeds
    ]
    curves = np.array([rows[rows.pair_step == -1].sort_values("step").value for rows in whole])
    np.testing.assert_allclose(drawn.value, curves.mean(axis=0))
    np.testing.assert_allclose(drawn.low, curves.min(axis=0) / 1.2)
    assert list(drawn.step) == list(STEPS)


def test_the_grid_has_velocity_naive_velocity_and_learning_rate_in_each_cell_on_one_axis(
    comparison: Comparison,
) -> None:
    figure = draw_grid(comparison.runs, 1)
    assert [len(row) for row in figure.rows] == [3] * 4
    for above, below in ((figure.rows[0], figure.rows[1]), (figure.rows[2], figure.rows[3])):
        for panel, rate in zip(above, below, strict=True):
            names = {mark.name for mark in panel.marks if isinstance(mark, Line)}
            assert names == {"velocity at constant lag", "naive velocity"}
            assert sum(isinstance(mark, Band) for mark in panel.marks) == 2
            assert [mark.name for mark in rate.marks] == ["learning rate"]
    assert len({panel.y_range for row in figure.rows[::2] for panel in row}) == 1


def test_depth_is_shared_by_models_of_unequal_depth(comparison: Comparison) -> None:
    assert depth_edges(["layer_01", "layer_02", "layer_03", "layer_04"]) == [0, 0.25, 0.5, 0.75, 1]
    heat = draw_depth(comparison.runs, 0).rows[0][0].marks[0]
    assert isinstance(heat, Heat)
    assert (heat.y[0], heat.y[-1], heat.z.shape) == (0, 1, (3, len(STEPS)))


def test_scaling_keeps_the_distances_of_points_in_a_plane() -> None:
    plane = np.random.default_rng(0).normal(size=(7, 2))
    turned = np.column_stack([plane, np.zeros((7, 3))]) @ np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    places, kept = place_runs(turned)
    assert kept == pytest.approx(1)
    between = [np.linalg.norm(x[:, None] - x[None], axis=2) for x in (plane, places)]
    np.testing.assert_allclose(*between, atol=1e-12)


def test_every_run_is_a_point_coloured_by_objective_and_shaped_by_model(comparison: Comparison) -> None:
    marks = [mark for mark in draw_plane(comparison.runs).rows[0][0].marks if isinstance(mark, Dots)]
    assert sum(len(mark.x) for mark in marks) == 16
    of = {mark.name: (mark.color, mark.symbol) for mark in marks}
    assert of["tiny, helpful"][0] == of["tiny_instruct, helpful"][0] != of["tiny, mixed"][0]
    assert of["tiny, helpful"][1] == of["tiny, mixed"][1] != of["tiny_instruct, mixed"][1]


def test_the_diagrams_of_a_page_are_few_and_rounded() -> None:
    steps = list(range(0, 400, 10))
    assert choose_steps(steps, runs=1, layers=6)[::11] == [0, 390]
    assert len(choose_steps(steps, runs=12, layers=9)) == 12
    assert len(choose_steps(steps, runs=48, layers=32)) == 2
    bars = np.column_stack([np.zeros(200), np.linspace(0.001, 1, 200), np.zeros(200)])
    section = show_diagrams({"a": {0: {"layer_01": bars}}}, "")
    packed = json.loads(re.search(r"<script[^>]*>(.*)</script>", section.body)[1])  # type: ignore[index]
    kept = packed["runs"][0]["bars"][0][0][0]
    assert len(kept) == 2 * MAX_BARS
    assert kept[:2] == [0, FINENESS]


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> str:
    return render_comparison(comparison).page


def test_the_page_asks_nothing_of_the_outside_and_has_every_part(page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    sections = re.findall(r'<section id="section-(\w+)">', page)
    assert sections == [
        "findings", "trajectories", "velocity_H1", "velocity_H0", "excess_H1", "excess_H0", "twins_1", "against",
        "diagrams", "runs",
    ]  # fmt: skip
    assert "OutOfMemoryError: no memory left" in page
    assert len(page) < 8e6


def test_a_name_cannot_become_markup(inside: Path) -> None:
    for seed in range(2):
        plant_run(Planted(NASTY, NASTY, seed, **FEW, local=False), sweep=NASTY)
    told = compare(sweep=NASTY)
    report, request = render_comparison(told), CompareConfig(sweep=NASTY)
    assert "<img src=x" not in report.page
    assert re.fullmatch(r"sweep-\w{8}", directory_of_comparison(request).path.name)


def test_a_second_comparison_takes_the_place_of_the_first(inside: Path) -> None:
    for objective in PULLS:
        plant_run(Planted(objective=objective, **FEW, local=False), sweep="again")
    request, store = CompareConfig(sweep="again"), open_store(TrackingConfig())
    report, home = render_comparison(compare(sweep="again")), directory_of_comparison(request)
    for _ in range(2):
        log_report(store, request, report, home)
    found = store.client.search_runs([store.experiment], "tags.kind = 'comparison' and tags.sweep = 'again'")
    assert [run.info.status for run in found] == ["FINISHED"]
    assert "- tiny: Whether the trajectories are separable" in found[0].data.tags["mlflow.note.content"]
    stored = {item.path for item in store.client.list_artifacts(found[0].info.run_id)}
    assert stored == {"report.html", *report.pictures}
    assert {"trajectories.png", "velocity_H1.png", "excess_H0.png", "against.png"} <= stored
    assert home.read_status()["state"] == "done"


def test_the_command_prints_report_sentences_and_runs_without_torch(sweep: Path) -> None:
    script = (
        "import atexit, runpy, sys\n"
        "heavy = ('torch', 'lightning')\n"
        "atexit.register(lambda: print('HEAVY', [m for m in heavy if m in sys.modules], file=sys.stderr))\n"
        "sys.argv = ['compare', 'filter=tags.sweep = \"first\" and tags.model = \\'tiny\\'']\n"
        "runpy.run_module('src.compare', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=sweep, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    path = re.match(r"(multirun/comparison/filter-\w+/report\.html): 8 runs, 1 of the grid not there\n", done.stdout)
    assert path
    assert (sweep / path[1]).is_file()
    assert "- tiny: The trajectories of harmless, helpful and mixed are separable" in done.stdout
    assert "failed: OutOfMemoryError" in done.stdout
    assert "HEAVY []" in done.stderr


def test_load_runs_gives_every_number_of_every_finished_run(inside: Path) -> None:
    table = load_runs("first")
    assert list(table.columns) == ["run", "model", "stage", "objective", "seed", "tda", *COLUMNS]
    assert table.run.nunique() == 16
    one = table[(table.model == "tiny") & (table.objective == "helpful") & (table.seed == 2)]
    pd.testing.assert_frame_equal(
        one[list(COLUMNS)].reset_index(drop=True), plant_table(Planted("tiny", "helpful", 2)), check_dtype=False
    )
    assert set(load_runs(filter="tags.sweep = 'first' and tags.objective = 'mixed'").objective) == {"mixed"}
    with pytest.raises(ValueError, match="one of the two"):
        load_runs("first", "tags.seed = '0'")


def test_unequal_schedules_are_compared_where_they_meet(inside: Path) -> None:
    for seed, steps in enumerate(((0, 1, 2, 4, 8, 16), (0, 2, 4, 6, 8))):
        plant_run(Planted(seed=seed, **(FEW | {"steps": steps}), local=False), sweep="unequal")
    told = compare(sweep="unequal")
    assert "schedules are unequal, 5 to 6 checkpoints" in told.sentences[0]
    assert "4 steps that all of them have (0, 2, 4, 8)" in told.sentences[0]
    line = draw_grid(told.runs, 1).rows[0][0].marks[1]
    assert isinstance(line, Line)
    assert list(line.x) == [1, 3, 5, 9]


def test_settings_that_differ_are_listed(inside: Path) -> None:
    for seed in range(2):
        params = {"trainer.batch_size": str(8 * (1 + seed))}
        plant_run(Planted(seed=seed, **FEW, params=params, local=False), sweep="settings")
    assert compare(sweep="settings").settings == {
        "trainer.batch_size": {"8": ["tiny helpful seed0"], "16": ["tiny helpful seed1"]}
    }


OLD = plant_table(Planted(**FEW)).drop(columns="pair_step").assign(pair="1")  # type: ignore[arg-type]
WRONG: dict[str, tuple[list[dict[str, object]], list[str]]] = {
    # sweep: its runs, what the message must say
    "lonely": ([{}], ["tiny helpful seed0 is the only finished one", "nothing to compare"]),
    "failed": ([{"status": "FAILED"}] * 2, ["none of the runs is finished"]),
    "probes": (
        [{}, {"seed": 1, "tags": {"probe_hash": "beef" * 16}}],
        ["different probe prompts", "5eed5eed5eed: tiny helpful seed0", "beefbeefbeef: tiny helpful seed1"],
    ),
    "metrics": (
        [{}, {"seed": 1, "params": {"tda.metric": "cosine"}}],
        ["tda.metric", "cosine: tiny helpful seed1", "euclidean: tiny helpful seed0"],
    ),
    "twice": (
        [{"params": {"trainer.lr_schedule": name}} for name in ("constant", "linear")],
        ["tiny helpful seed0: 2 runs of this cell", "params.trainer.lr_schedule = '...'"],
    ),
    "apart": ([{"steps": (0, 2, 4)}, {"seed": 1, "steps": (1, 3, 5)}], ["share no checkpoint", "0, 2, 4", "1, 3, 5"]),
    "old": ([{}, {"seed": 1, "table": OLD}], ["no column pair_step", "unknown column pair", "src.analyze run="]),
    "none": ([{}, {"seed": 1, "table": OLD.head(0)[[]].reindex(columns=list(COLUMNS))}], ["no velocity was measured"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_compared_is_refused_by_name(inside: Path, name: str) -> None:
    runs, named = WRONG[name]
    for made in runs:
        table = made.get("table")
        given = FEW | {key: value for key, value in made.items() if key != "table"}
        plant_run(Planted(**given, local=False), sweep=name, table=table, bars=0)  # type: ignore[arg-type]
    with pytest.raises(RequestError) as refused:
        compare(sweep=name)
    for part in named:
        assert part in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


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


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "nothing to compare: give one of sweep=<name>, runs=["),
        (["sweep=a", "filter=tags.seed = '0'"], "sweep, filter: give one of"),
        (["sweeep=a"], "did you mean sweep?"),
        (["sweep=a"], "mlflow.db: there is no such database, so no run"),
    ],
)
def test_a_wrong_request_gets_one_message(tmp_path: Path, words: list[str], named: str) -> None:
    done = run_module("src.compare", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "multirun").glob("[!.]*"))


def test_runs_are_named_by_directory_or_id(inside: Path) -> None:
    client = MlflowClient(f"sqlite:///{inside}/multirun/mlflow.db")
    experiment = client.get_experiment_by_name("alignment-topology").experiment_id
    wanted = "tags.sweep = 'first' and tags.seed = '1' and tags.model = 'tiny' and tags.objective = 'mixed'"
    run_id = client.search_runs([experiment], wanted)[0].info.run_id
    told = compare(runs=["multirun/tiny/helpful/vietoris_rips/seed0", run_id])
    assert [run.name for run in told.runs] == ["tiny helpful seed0", "tiny mixed seed1"]


def test_a_filter_needs_no_quotation_marks_of_hydras() -> None:
    assert quote_filter("filter=tags.model = 'a' and params.x = \"b\"") == (
        'filter="tags.model = \'a\' and params.x = \\"b\\""'
    )
    assert quote_filter("filter='a'") == "filter='a'"
    assert quote_filter("sweep=a") == "sweep=a"


def test_the_notebook_goes_from_a_sweep_to_the_plane(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = json.loads((ROOT / "tests" / "notebooks" / "compare.ipynb").read_text())
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec("".join(cell["source"]), names)
    assert sum(len(trace.x) for trace in names["figure"].data) == 16  # type: ignore[attr-defined]
    assert "- tiny: The trajectories of harmless, helpful and mixed are separable" in capsys.readouterr().out


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
    assert list(study.ways) == ["as measured", "tda.points=128", "tda.metric=cosine, schedule.lag=2"]
    assert list(study.layers) == ["layer_01", "layer_02", "layer_03"]
    report = render_sensitivity(study)
    told = "\n".join(report.sentences)
    assert "H1 peak ratio: hangs on the choice: called under 2 of 3 ways of measuring, " in told
    assert "nothing beyond chance under tda.metric=cosine, schedule.lag=2" in told
    assert "H1 excess early: nothing beyond chance under all 3 layers" in told
    assert report.rows[0] == ["as measured", source]
    assert "tda.metric=cosine, schedule.lag=2" in report.page
