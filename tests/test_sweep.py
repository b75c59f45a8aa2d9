"""A sweep before its first cell and after its last one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from src.config import Config
from src.config.resolve import resolve_config
from src.sweeps.estimate import disk_bytes, model_size, weights_bytes
from src.system.machine import GIB

from .conftest import Command
from .test_config import composed, options

FEW = ("experiment=smoke", "tda=none", "trainer.max_steps=6", "trainer.warmup_steps=1", "trainer.progress=false")


def configured(*words: str) -> Config:
    return resolve_config(composed(*words))


def test_a_sweep_with_a_wrong_cell_starts_none(command: Command, tmp_path: Path) -> None:
    done = command("src.run", "-m", "model=tiny,tiny_instruct", "trainer.micro_batch_size=8,3", *FEW)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"model={model} trainer.micro_batch_size=3: trainer.micro_batch_size=3: must divide trainer.batch_size=8"
        for model in ("tiny", "tiny_instruct")
    ]
    assert not list(tmp_path.rglob("status.json"))


def test_what_does_not_fit_on_the_disk_is_refused_before_it_starts(command: Command, tmp_path: Path) -> None:
    words = ("schedule=every", "schedule.interval=1", "trainer.max_steps=3000000")
    for more in ((), ("-m", "seed=0,1")):
        done = command("src.run", *more, *words)
        assert done.returncode == 2
        assert "GiB are free; make room" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob("config.yaml"))


def test_a_folder_that_cannot_be_written_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "multirun").write_text("a file, where a folder should be")
    done = command("src.run", *FEW)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path}/multirun: cannot be written (")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("model", [name for name in options("model") if name != "local"])
def test_the_size_of_every_model_is_known_and_fits_what_its_file_says(model: str) -> None:
    config = configured(f"model={model}")
    size = model_size(config)
    assert size is not None
    said = (Path(__file__).parents[1] / "conf" / "model" / f"{model}.yaml").read_text()
    if "Weights: " in said:
        gb = float(said.partition("Weights: ")[2].partition(" GB")[0])
        assert weights_bytes(config) == pytest.approx(gb * 1e9, rel=0.15)
        assert size.vocabulary >= 32000
    else:
        assert size.parameters == pytest.approx(1.24e6, rel=0.02)
        assert (size.width, size.blocks, size.vocabulary) == (128, 6, 1024)


def test_the_estimate_of_the_disk_counts_clouds_and_weights() -> None:
    few, many = configured(), configured("probe.size=512", "objective.eval_size=8")
    assert 0.005 * GIB < (disk_bytes(few) or 0) < (disk_bytes(many) or 0) < 2 * (disk_bytes(few) or 0)
    assert (disk_bytes(configured("adapter=full")) or 0) > 20 * 1.2e6 * 4
    assert disk_bytes(configured("model=local", "model.path=some/hub_model")) is None


@pytest.mark.slow
def test_a_failed_cell_leaves_the_others_running_and_is_tried_again(command: Command, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    words = ("-m", f"model.path={broken},embedded:tiny", *FEW)
    done = command("src.run", *words)
    assert done.returncode == 1, done.stderr
    assert "no model can be read from this folder" in done.stderr
    assert "1 of 2 cells are not done; the same command goes on with them" in done.stdout
    *_, failed, well, _, reason, _ = done.stdout.splitlines()
    assert " failed " in failed
    assert " done " in well
    assert reason.startswith(f"model.path={broken}: failed, RequestError: ")
    assert [json.loads(path.read_text())["state"] for path in tmp_path.rglob("status.json")] == ["done"]
    again = command("src.run", *words, "sweep=other")
    assert again.returncode == 1
    assert "done, skipped" in again.stdout
    client = MlflowClient(f"sqlite:///{tmp_path}/multirun/mlflow.db")
    [tracked] = client.search_runs([client.get_experiment_by_name("alignment-topology").experiment_id])
    assert (tracked.data.tags["sweep"], tracked.data.tags["also_in_other"]) == ("single", "true")
    assert tracked.info.status == "FINISHED"
    assert " skipped " in again.stdout.splitlines()[-4]
