"""`python -m src.compare` on made-up runs in a real store: the command, its words, its functions, its notebook."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from src.compare import load_runs, quote_filter
from src.metrics.table import COLUMNS
from tests.support.notebooks import run_notebook, shown
from tests.support.planted import Planted, plant_table
from tests.support.processes import ROOT, run_module


@pytest.mark.slow
def test_the_command_prints_report_sentences_and_runs_without_torch(planted_sweep: Path) -> None:
    script = (
        "import atexit, runpy, sys\n"
        "heavy = ('torch', 'lightning')\n"
        "atexit.register(lambda: print('HEAVY', [m for m in heavy if m in sys.modules], file=sys.stderr))\n"
        "sys.argv = ['compare', 'filter=tags.sweep = \"first\" and tags.model = \\'tiny\\'']\n"
        "runpy.run_module('src.compare', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=planted_sweep, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    path = re.match(r"(multirun/comparison/filter-\w+/report\.html): 8 runs, 1 of the grid not there\n", done.stdout)
    assert path
    assert (planted_sweep / path[1]).is_file()
    assert done.stdout.index("(d) Pretrained and instruct differ") < done.stdout.index("- tiny: ")
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


def test_a_filter_needs_no_quotation_marks_of_hydras() -> None:
    assert quote_filter("filter=tags.model = 'a' and params.x = \"b\"") == (
        'filter="tags.model = \'a\' and params.x = \\"b\\""'
    )
    assert quote_filter("filter='a'") == "filter='a'"
    assert quote_filter("sweep=a") == "sweep=a"


@pytest.mark.slow
def test_the_notebook_goes_from_a_sweep_to_the_plane(inside: Path) -> None:
    cells = run_notebook("compare.ipynb", inside)
    (figure,) = shown(cells, "application/vnd.plotly.v1+json")
    assert sum(trace["type"] == "scatter" and len(trace["x"]) for trace in figure["data"]) == 16
    pages = "".join(shown(cells, "text/html"))
    assert "tiny: The trajectories of harmless, helpful and mixed are separable" in pages
    assert "Pretrained and instruct differ" in pages
    assert pages.count("<img") == 2
