"""`python -m src.analyze` on a stored run: the same numbers for the same settings, others for others, and no torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from src.rundir import RunDirectory
from tests.support.processes import ROOT, Command, run_module
from tests.support.runs import Cell, run_cell


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    return run_cell(tmp_path_factory.mktemp("analyzed"), "trainer.max_steps=10", "schedule.late=2")


@pytest.mark.slow
def test_the_same_settings_give_exactly_the_same_numbers(cell: Cell) -> None:
    done = run_module("src.analyze", f"run={cell.run.path.relative_to(cell.cwd)}", cwd=cell.cwd)
    assert done.returncode == 0, done.stderr
    table = next((cell.run.path / "analysis").rglob("topology.parquet"))
    pd.testing.assert_frame_equal(pd.read_parquet(table), pd.read_parquet(cell.run.table))
    again = run_module("src.analyze", f"run={cell.run.path}", cwd=cell.cwd)
    assert "done already" in again.stdout


@pytest.mark.slow
def test_other_settings_are_a_run_of_their_own(cell: Cell) -> None:
    source = cell.tracked
    words = [f"run={source.info.run_id}", "tda.metric=cosine", "tda.points=16"]
    done = run_module("src.analyze", *words, cwd=cell.cwd)
    assert done.returncode == 0, done.stderr
    tag = f"tags.kind = 'analysis' and tags.source_run = '{source.info.run_id}'"
    runs = MlflowClient(f"sqlite:///{cell.cwd}/multirun/mlflow.db").search_runs([source.info.experiment_id], tag)
    cosine = next(run for run in runs if run.data.params["tda.metric"] == "cosine")
    assert cosine.data.params["tda.points"] == "16"
    assert cosine.data.tags["probe_hash"] == source.data.tags["probe_hash"]
    assert cosine.data.metrics["topology/H0/n_bars/mean"] == 15
    assert "velocity/H1/mean" in cosine.data.metrics


@pytest.mark.slow
def test_a_longer_lag_takes_the_clouds_that_are_there(cell: Cell) -> None:
    words = [f"run={cell.run.path}", "tda.subsamples=0", "tda.null_draws=0"]
    done = run_module("src.analyze", *words, "schedule.lag=2", cwd=cell.cwd)
    assert done.returncode == 0, done.stderr
    path = re.match(r"\S+/(analysis/\S+): ", done.stdout)
    assert path
    table, before = (pd.read_parquet(run.table) for run in (RunDirectory(cell.run.path / path[1]), cell.run))
    pairs = table[(table.quantity == "velocity") & (table.pair_step >= 0)]
    assert set(pairs.pair_step - pairs.step) == {2}
    velocity = [one[one.quantity == "velocity"].step.drop_duplicates().tolist() for one in (table, before)]
    assert set(velocity[0]) <= set(velocity[1]), "the same checkpoints"
    refused = run_module("src.analyze", *words, "schedule.lag=3", cwd=cell.cwd)
    assert refused.returncode == 2
    assert "schedule.lag=3: this run's clouds lie 1, 2 steps after a checkpoint" in refused.stderr


@pytest.mark.slow
def test_no_torch_is_imported(cell: Cell) -> None:
    # A file, not `-c`: the spawned workers import the main module.
    main = cell.cwd / "main.py"
    main.write_text(
        "import atexit, runpy, sys\n"
        "if __name__ == '__main__':\n"
        "    heavy = ('torch', 'lightning', 'transformers')\n"
        "    atexit.register(lambda: print('HEAVY', [m for m in heavy if m in sys.modules], file=sys.stderr))\n"
        f"    sys.argv = ['analyze', 'run={cell.run.path}', 'tda.metric=standardized']\n"
        "    runpy.run_module('src.analyze', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, main], capture_output=True, text=True, cwd=cell.cwd, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert "HEAVY []" in done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "run is not set"),
        (["run=nowhere"], "run=nowhere: neither a run directory nor its MLflow id"),
        (["run=x", "tda=none"], "tda=none"),
        (["run=x", "tda=rips"], "vietoris_rips"),
        (["run=x", "tda.transformer._target_=os.system"], "gtda."),
    ],
)
def test_a_wrong_request_gets_one_message(command: Command, tmp_path: Path, words: list[str], named: str) -> None:
    done = command("src.analyze", *words)
    assert done.returncode == 2
    assert named in done.stderr
    assert not list((tmp_path / "multirun").glob("[!.]*"))


GEODESIC = """\
name: geodesic
transformer:
  _target_: sklearn.pipeline.make_pipeline
  _args_:
    - _target_: gtda.graphs.KNeighborsGraph
      n_neighbors: 8
      mode: distance
    - _target_: gtda.graphs.GraphGeodesicDistance
    - _target_: gtda.homology.VietorisRipsPersistence
      metric: precomputed
      homology_dimensions: [0, 1]
"""


@pytest.mark.slow
def test_a_users_own_method_runs_by_its_name(cell: Cell) -> None:
    """The README's example: geodesic distances along the neighbourhood graph, then Rips."""
    (cell.cwd / "mine" / "tda").mkdir(parents=True)
    (cell.cwd / "mine" / "tda" / "geodesic.yaml").write_text(GEODESIC)
    words = ["--config-dir", "mine", f"run={cell.run.path}", "tda=geodesic"]
    done = run_module("src.analyze", *words, cwd=cell.cwd)
    assert done.returncode == 0, done.stderr
    own = pd.read_parquet(next((cell.run.path / "analysis").glob("geodesic-*/topology.parquet")))
    default = pd.read_parquet(cell.run.table)
    persistence = "quantity == 'topology/total_persistence' and layer == 'mean' and dimension == 1 and step == 0"
    assert own.query(persistence).value.item() > default.query(persistence).value.item()
    words = [f"run={cell.run.path}", "tda.name=sparse", "tda.transformer._target_=gtda.homology.SparseRipsPersistence"]
    done = run_module("src.analyze", *words, "+tda.transformer.epsilon=0.2", cwd=cell.cwd)
    assert done.returncode == 0, done.stderr
    assert list((cell.run.path / "analysis").glob("sparse-*/topology.parquet"))
