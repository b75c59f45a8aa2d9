"""What notebooks call, for real: arrays measured as a run and in memory, stopped and gone on with, measured again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedModel, ViTConfig, ViTModel

from src import track_arrays
from src.measure import track
from src.metrics.selection import select
from src.notebook.result import TrackedRun
from src.rundir import RunDirectory
from tests.support.notebooks import run_notebook, shown
from tests.support.processes import ENVIRONMENT, run_module, wait_until
from tests.support.runs import client_here

pytestmark = pytest.mark.slow

KEY = ["step", "pair_step", "layer", "dimension", "quantity", "sample"]
QUICK: dict[str, Any] = {"tda.subsamples": 2, "tda.null_draws": 2, "tda.workers": 1}
NAMES = [f"image_{n}.png" for n in range(24)]
BEHAVIOR = {step: {"train_loss": 1 / (1 + step), "learning_rate": 1e-4} for step in (0, 10, 20, 30)}


def make_series() -> dict[int, dict[str, np.ndarray]]:
    random = np.random.default_rng(2)
    start, drift = (random.normal(size=(24, 6)) for _ in range(2))
    steps = (0, 1, 10, 11, 20, 21, 30, 31)
    wide = random.normal(size=(6, 10))
    points = {step: start + 0.01 * step * drift + 0.01 * random.normal(size=(24, 6)) for step in steps}
    return {step: {"block_2": x, "block_10": x @ wide} for step, x in points.items()}


SERIES = make_series()


def measure(name: str, **settings: Any) -> TrackedRun:
    given = {"model": name, "probes": NAMES, "behavior": BEHAVIOR, "config": QUICK, "progress": False} | settings
    return track_arrays(SERIES, **given)


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(KEY).reset_index(drop=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, fresh_database: Path) -> Iterator[Path]:
    """A place with a store, as the current one."""
    place = tmp_path_factory.mktemp("notebook")
    (place / "multirun").mkdir()
    shutil.copy(fresh_database, place / "multirun")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        yield place


@pytest.fixture(scope="module")
def saved(folder: Path) -> TrackedRun:
    return measure("whole")


def test_a_run_in_memory_has_the_numbers_of_one_on_disk(saved: TrackedRun, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    memory = measure("whole", save=False)
    assert sorted(folder.rglob("*")) == before
    pd.testing.assert_frame_equal(ordered(memory.table), ordered(saved.table), check_exact=True)
    assert memory.directory is None
    assert memory.note == saved.note
    assert list(memory.figures) == list(saved.figures)
    assert {"train_loss", "learning_rate"} <= set(saved.table.quantity)


def test_layers_are_measured_as_clouds_of_one_layer_are(saved: TrackedRun) -> None:
    wanted = ["velocity", "drift", "distance_change"]
    clouds = {step: layers["block_2"].astype(np.float32) for step, layers in SERIES.items()}
    alone = track(clouds, subsamples=0, null_draws=0)
    key = ["step", "dimension", "quantity"]
    ours, theirs = (
        select(table, wanted, layer=layer).set_index(key).value.sort_index()
        for table, layer in ((saved.table, "block_02"), (alone, "layer_01"))
    )
    assert len(ours) == 4 * 5, "drift and velocity in two dimensions, the distance change"
    pd.testing.assert_series_equal(ours, theirs)


def test_the_object_shows_itself(saved: TrackedRun) -> None:
    shown = saved._repr_html_()
    assert shown.count("<img") == 2
    assert all(sentence in str(saved) for sentence in saved.sentences)
    assert str(saved.directory) in shown
    assert saved.figures["velocity"].layout.title.text == "How fast the shape changes"
    assert list(saved.steps_by_layer("drift", 1).columns) == ["block_02", "block_10", "mean"]
    (changed,) = saved.findings.query("name == 'changed_share'").sentence
    assert "of 2 blocks between step 0 and step 30" in changed
    with pytest.raises(ValueError, match=r"drfit: not measured in dimension 1; there are .*drift"):
        saved.steps_by_layer("drfit", 1)


def test_the_same_call_again_measures_nothing_and_another_one_is_another_run(saved: TrackedRun, folder: Path) -> None:
    assert saved.directory is not None
    status = RunDirectory(saved.directory).status.read_bytes()
    again = measure("whole")
    assert again.directory == saved.directory
    assert RunDirectory(saved.directory).status.read_bytes() == status
    pd.testing.assert_frame_equal(again.table, saved.table)
    client = client_here()
    (run,) = client.search_runs([e.experiment_id for e in client.search_experiments()], "tags.model = 'whole'")
    assert (run.data.tags["kind"], run.data.tags["source"], run.info.status) == ("track", "arrays", "FINISHED")
    assert "8 states given as arrays" in run.data.tags["mlflow.note.content"]


def test_what_was_killed_is_gone_on_with(saved: TrackedRun, folder: Path) -> None:
    script = (
        "import pickle, sys; from src import track_arrays\n"
        "series, settings = pickle.load(open('given.pickle', 'rb')); track_arrays(iter(series.items()), **settings)"
    )
    given = {"model": "killed", "probes": NAMES, "behavior": BEHAVIOR, "config": QUICK, "progress": False}
    pd.to_pickle((SERIES, given), folder / "given.pickle")
    with subprocess.Popen([sys.executable, "-c", script], cwd=folder, env=ENVIRONMENT) as process:
        wait_until(lambda: bool(list(folder.glob("multirun/killed/*/*/*/step_000010/metrics.json"))))
        process.send_signal(signal.SIGKILL)
    (config,) = folder.glob("multirun/killed/*/*/*/config.yaml")
    assert RunDirectory(config.parent).read_status()["state"] == "running"
    rest = measure("killed")
    assert rest.directory == config.parent
    pd.testing.assert_frame_equal(ordered(rest.table), ordered(saved.table), check_exact=True)
    assert not list(folder.glob("multirun/.arrays-*")), "what the killed process left is gone"


def test_stored_arrays_are_measured_again_and_compared(saved: TrackedRun, folder: Path) -> None:
    quick = [f"{key}={value}" for key, value in QUICK.items()]
    again = run_module("src.analyze", f"run={saved.directory}", "tda.metric=cosine", *quick, cwd=folder, **ENVIRONMENT)
    assert again.returncode == 0, again.stderr


def hidden_states(model: PreTrainedModel, given: dict[str, torch.Tensor]) -> dict[int, torch.Tensor]:
    """The first token, [CLS], of every block."""
    with torch.inference_mode():
        states = model(**given, output_hidden_states=True).hidden_states
    return {block: state[:, 0] for block, state in enumerate(states) if block}


@pytest.mark.parametrize("kind", ["text", "images"])
def test_encoders_of_texts_and_images_are_measured_from_their_hidden_states(kind: str) -> None:
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    given, model = (
        ({"input_ids": torch.randint(5, 90, (12, 7))}, BertModel(BertConfig(vocab_size=90, **shape))) if kind == "text"
        else ({"pixel_values": torch.rand(12, 3, 16, 16)}, ViTModel(ViTConfig(image_size=16, patch_size=8, **shape)))
    )  # fmt: skip
    model.eval()

    def series() -> Iterator[tuple[int, dict[int, torch.Tensor]]]:
        for step in range(4):
            yield step, hidden_states(model, given)
            with torch.no_grad():
                for weight in model.parameters():
                    weight += 0.002 * torch.randn_like(weight)

    few = {"tda.subsamples": 0, "tda.null_draws": 2, "tda.workers": 1}
    found = track_arrays(series(), save=False, config=few, progress=False)
    drift = found.steps_by_layer("drift", 0)
    assert list(drift.columns) == ["layer_01", "layer_02", "mean"]
    assert drift["mean"].iloc[0] == 0 < drift["mean"].iloc[1:].min()
    assert found.steps_by_layer("excess", 0).shape == (3, 3)


def test_the_tutorial_goes_from_checkpoints_to_a_finding(folder: Path) -> None:
    cells = run_notebook("tutorial.ipynb", folder)
    printed = "".join(shown(cells, "stdout"))
    assert "The activations changed in 6 of 6 blocks between step 0 and step 39" in printed
    assert "The activations changed in 2 of 2 blocks between step 0 and step 39" in printed
    assert len(list(shown(cells, "application/vnd.plotly.v1+json"))) == 2
    assert "checkpoints measured" in "".join(shown(cells, "text/plain"))
    (run,) = folder.glob("multirun/tiny_tutorial/harmless/vietoris_rips/*/status.json")
    assert str(run.parent) in "".join(shown(cells, "text/html"))
