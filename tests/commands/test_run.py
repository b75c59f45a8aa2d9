"""`python -m src.run` as a user runs it: in its own process, on the embedded model, into a real MLflow store."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from safetensors.numpy import load_file

from src.findings import finding_metrics, run_findings, sentences
from src.metrics.table import COLUMNS
from tests.support.processes import Command, run_module
from tests.support.runs import Cell, run_cell

pytestmark = pytest.mark.slow

LAYERS = [f"layer_{n:02d}" for n in range(1, 7)] + ["mean"]
SUMMARIES = ["n_bars", "total_persistence", "max_persistence", "mean_persistence", "mean_birth", "mean_death"]
SUMMARIES += ["entropy", "normalized_entropy", "betti_max"]
CHECKPOINTS = [0, 1, 2, 7, 12, 17, 22]
EVALUATED = [0, 1, 2, 12, 22, 24]
"""Every early checkpoint, every other one after, and the end."""
FEW = ("experiment=smoke", "tda=none", "trainer.max_steps=6", "trainer.warmup_steps=1", "trainer.progress=false")
FIGURES = ("speed", "excess", "movement", "velocity", "drift", "betti")


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    return run_cell(tmp_path_factory.mktemp("cell"))


def test_the_metrics_of_the_contract_are_complete(cell: Cell) -> None:
    for layer in LAYERS:
        for name in ("scale", "displacement", "rigid_share", "rigid_share_null", "distance_change"):
            key = f"geometry/{name}"
            assert sorted(cell.history(f"{key}/{layer}")) == CHECKPOINTS
        for k in (0, 1):
            keys = [f"topology/H{k}/{name}/{layer}" for name in SUMMARIES]
            keys += [f"shape/H{k}/{name}/{layer}" for name in SUMMARIES[1:6]]
            keys += [f"drift/H{k}/{layer}", f"velocity/H{k}/{layer}"]
            for key in keys:
                assert sorted(cell.history(key)) == CHECKPOINTS, key
            assert sorted(cell.history(f"naive_velocity/H{k}/{layer}")) == CHECKPOINTS[1:]
        for key in (f"rtd/H1/{layer}", f"rtd/H1/max_persistence/{layer}"):
            assert sorted(cell.history(key)) == CHECKPOINTS, key
        compared = ["geometry/base_displacement", "floor/base_displacement"]
        compared += ["geometry/base_p"] if layer != "mean" else []
        for key in compared:
            assert sorted(cell.history(f"{key}/{layer}")) == CHECKPOINTS[-1:], key
        for quantity in ("displacement", "velocity_H0", "velocity_H1"):
            assert sorted(cell.history(f"floor/{quantity}/{layer}")) == [0, CHECKPOINTS[-1]]
            assert max(cell.history(f"floor/{quantity}/{layer}").values()) < 1e-3, "float32 on this machine"
    for name in ("train_loss", "learning_rate", "grad_norm"):
        assert sorted(cell.history(f"behavior/{name}")) == list(range(24))
    for source in ("helpful", "harmless"):
        for name in ("eval_loss", "preference_accuracy", "preference_accuracy_per_token"):
            assert sorted(cell.history(f"behavior/{name}_{source}")) == EVALUATED
    assert sorted(cell.history("behavior/kl_to_base")) == EVALUATED
    costs = ["train_seconds", "capture_seconds", "topology_seconds", "blocked_seconds", "tokens_per_second"]
    for name in [*costs, "behavior_seconds", "waiting_seconds", "peak_memory_gb", "skipped_metrics"]:
        assert cell.history(f"cost/{name}")
    assert cell.history("cost/skipped_metrics") == {24: 0}
    log = cell.run.log.read_text()
    assert "where the time went:" in log
    assert "steps are free of padding" in log


def test_no_value_is_nan_or_infinite(cell: Cell) -> None:
    for key in cell.tracked.data.metrics:
        values = cell.history(key).values()
        assert all(math.isfinite(value) and abs(value) < 1e300 for value in values), key


def test_the_run_carries_its_tags_parameters_and_artifacts(cell: Cell) -> None:
    tracked = cell.tracked
    assert tracked.info.status == "FINISHED"
    expected = {"kind": "cell", "model": "tiny", "stage": "pretrained", "objective": "helpful", "tda": "vietoris_rips"}
    expected |= {"seed": "0", "sweep": "single"}
    assert expected.items() <= tracked.data.tags.items()
    for tag, pattern in {"config_hash": "[0-9a-f]{12}", "probe_hash": "[0-9a-f]{64}", "git_commit": r"\S+"}.items():
        assert re.fullmatch(pattern, tracked.data.tags[tag])
    assert tracked.data.params["trainer.max_steps"] == "24"
    assert tracked.data.params["trainer.learning_rate"] == "0.001", "the resolved value, not `null`"
    names = {item.path for item in cell.client.list_artifacts(tracked.info.run_id)}
    assert {"config.yaml", "topology.parquet", "diagrams", "figures", "images"} <= names
    figures = {item.path for item in cell.client.list_artifacts(tracked.info.run_id, "figures")}
    assert figures == {f"figures/{name}.png" for name in FIGURES} | {"figures/figures.html"}
    note = tracked.data.tags["mlflow.note.content"]
    assert "**tiny** (pretrained) fine-tuned to be **helpful**" in note
    assert "held-out loss, helpful" in note
    assert "preference accuracy per token, helpful" in note
    assert "per_token" not in note
    assert len(cell.client.list_artifacts(tracked.info.run_id, "diagrams")) == len(CHECKPOINTS)


def test_the_directory_holds_what_the_contract_names(cell: Cell) -> None:
    for file in ("config.yaml", "status.json", "run.log", "metrics.jsonl", "mlflow_run_id", "topology.parquet"):
        assert (cell.run.path / file).is_file(), file
    for step in CHECKPOINTS:
        assert (cell.run.adapter(step) / "adapter_model.safetensors").is_file()
        assert {p.name for p in cell.run.step(step).iterdir()} == {
            "adapter", "clouds.safetensors", "diagrams.npz", "diagrams.png", "metrics.json",
        } | ({"base.safetensors"} if step == 0 else set()) | (
            {"floor.safetensors"} if step in (0, 1, CHECKPOINTS[-1]) else set()
        )  # fmt: skip
    captured = {int(p.name[5:]) for p in cell.run.path.glob("step_*")}
    window = min(CHECKPOINTS, key=lambda step: abs(step + 4 - max(captured) / 2))
    pairs = {s + n for s in CHECKPOINTS for n in range(3)}
    assert captured == pairs | {window + n for n in range(9)}, "pairs and a window are captured, and nothing else"
    assert cell.run.read_status()["state"] == "done"
    assert not list(cell.run.path.rglob("*.pkl"))
    assert not list(cell.run.path.rglob(".*")), "no partial file stays"


def test_the_table_is_long_and_says_what_mlflow_says(cell: Cell) -> None:
    table = pd.read_parquet(cell.run.table)
    assert tuple(table.columns) == COLUMNS
    velocity = table[(table.quantity == "velocity") & (table.dimension == 1) & (table.layer == "mean")]
    halves, velocity = velocity[velocity["sample"] >= 0], velocity[velocity["sample"] == -1]
    assert len(halves) == 6 * len(CHECKPOINTS), "as many as the model's draws"
    averaged = velocity[velocity.pair_step == -1].set_index("step").value
    assert averaged.to_dict() == cell.history("velocity/H1/mean")
    assert sorted(velocity[velocity.step == 7].pair_step) == [-1, 8, 9]
    marks = table[table.quantity == "below_floor"]
    assert len(marks) == len(CHECKPOINTS) * 7 * 2
    assert set(marks.value) == {0.0}, "training moves more than rounding"
    rate = table[table.quantity == "learning_rate"].set_index("step").value
    assert rate.to_dict() == cell.history("behavior/learning_rate")
    draws = table[(table.quantity == "null_velocity") & (table["sample"] >= 0)]
    assert len(draws) == 6 * len(CHECKPOINTS) * 7 * 2
    excess = table[(table.quantity == "excess") & (table.dimension == 1) & (table.layer == "layer_02")]
    assert (excess["sample"] >= 0).sum() == 6 * len(CHECKPOINTS), "each half has its own"
    whole = excess[excess["sample"] == -1]
    assert whole.set_index("step").value.to_dict() == cell.history("excess/H1/layer_02")
    assert (whole.low < whole.value).all()


def test_the_findings_are_those_of_the_stored_table_and_are_told(cell: Cell) -> None:
    found = run_findings(pd.read_parquet(cell.run.table))
    logged = {key: cell.history(key) for key in cell.tracked.data.metrics if key.startswith("finding/")}
    assert logged == {key: {24: value} for key, value in finding_metrics(found).items()}
    assert {"finding/peak_ratio/H0", "finding/peak_ratio_low/H0", "finding/excess_early/H1"} <= logged.keys()
    assert found["changed_share", -1].sentence.startswith("The activations changed in 6 of 6 blocks between step 0 and")
    assert logged["finding/changed_share"] == {24: 1.0}
    tags, note = cell.tracked.data.tags, cell.tracked.data.tags["mlflow.note.content"]
    assert {k: tags[f"peak_explained_by_H{k}"] for k in (0, 1)} == {
        k: found["peak_explained_by", k].label for k in (0, 1)
    }
    answers = note.split("\n\n")[0].splitlines()
    assert [line.partition("**")[2].partition("**")[0] for line in answers] == [
        "Did the activations change at all?", "Early reorganisation?", "Transient peak?",
        "What explains it, and what cannot be told?",
    ]  # fmt: skip
    assert answers[0].endswith("** Yes: 100 % of the blocks.")
    assert all(re.search(r"\*\* (Yes|No|Cannot be told)\b", line) for line in answers[1:3])
    for sentence in sentences(found):
        assert f"- {sentence}" in note
    assert "The learning rate was not constant" in cell.stdout


def test_fine_tuning_helps_on_what_was_held_out(cell: Cell) -> None:
    history = cell.history("behavior/eval_loss_helpful")
    assert history[24] < history[0] - 0.1
    assert history[24] > 0.05, "the dialogues are not a constant to be memorised"


def test_every_adapter_tensor_moved(cell: Cell) -> None:
    first, last = (load_file(cell.run.adapter(step) / "adapter_model.safetensors") for step in (0, 22))
    assert len(first) == 6 * 7 * 2, "two matrices for each linear map of each block"
    for name, tensor in first.items():
        assert not np.array_equal(tensor, last[name]), name


def test_the_terminal_shows_a_short_table_and_the_next_command(cell: Cell) -> None:
    for words in ("held-out loss, helpful", "preference accuracy, harmless", "path length, H0", "python -m src.ui"):
        assert words in cell.stdout
    assert "Warning" not in cell.stderr
    assert "warn" not in cell.stderr


def test_a_second_start_skips_with_the_same_numbers(cell: Cell) -> None:
    again = run_module("src.run", "experiment=smoke", cwd=cell.cwd)
    assert again.returncode == 0
    assert "done already" in again.stdout
    table = cell.stdout[cell.stdout.index("┏") :]
    assert again.stdout.endswith(table)


def test_with_topology_off_the_losses_are_bit_identical(cell: Cell, tmp_path: Path) -> None:
    bare = run_cell(tmp_path, "tda=none")
    assert bare.losses() == cell.losses()
    assert len(bare.losses()) == 24
    assert not list(bare.run.path.rglob("clouds.safetensors"))


def test_a_run_that_goes_on_from_an_adapter_begins_where_it_was_saved(cell: Cell, tmp_path: Path) -> None:
    last = CHECKPOINTS[-1]
    stored = cell.run.adapter(last).resolve()
    resumed = run_cell(tmp_path, *FEW[1:], f"adapter.resume={stored}")
    for source in ("helpful", "harmless"):
        key = f"behavior/eval_loss_{source}"
        assert resumed.history(key)[0] == cell.history(key)[last]
    assert resumed.history("behavior/kl_to_base")[0] == 0
    note = resumed.tracked.data.tags["mlflow.note.content"]
    assert f"**Start**: step 0 is the model with the adapter `{stored}`" in note
    assert f"**Trained**: LoRA goes on from {stored}" in note
    assert f"LoRA goes on from {stored}" in resumed.run.log.read_text()


def test_golden(cell: Cell) -> None:
    """Pins the run; the tolerance allows for another processor's order of summation."""
    golden = json.loads((Path(__file__).parent / "golden.json").read_text())
    assert cell.losses()[:8] == pytest.approx(golden["train_loss"], rel=2e-3)
    for key, value in golden["step_0"].items():
        assert cell.history(key)[0] == pytest.approx(value, rel=2e-3, abs=2 if "n_bars" in key else 0), key
    assert cell.tracked.data.tags["probe_hash"] == golden["probe_hash"], "text alone decides"


def test_another_configuration_in_the_same_directory_is_refused_with_the_keys_that_differ(tmp_path: Path) -> None:
    words = ("tda=none", "trainer.max_steps=4", "trainer.warmup_steps=1")
    first = run_cell(tmp_path, *words)
    # As after an update that changed a default: the home is the same, the configuration is not, and has no seal.
    lines = first.run.config.read_text().replace("rank: 8", "rank: 4").splitlines(keepends=True)
    first.run.config.write_text("".join(line for line in lines if not line.startswith("#")))
    again = run_module("src.run", "experiment=smoke", *words, cwd=tmp_path)
    assert again.returncode == 2
    assert "adapter.rank: 4 there, 8 now" in again.stderr
    assert "force=true" in again.stderr
    assert run_module("src.run", "experiment=smoke", *words, "force=true", cwd=tmp_path).returncode == 0


def test_full_fine_tuning_accumulation_and_chat_run_together(tmp_path: Path) -> None:
    words = ["model=tiny_instruct", "objective=mixed", "tda=none", "trainer.max_steps=6", "trainer.warmup_steps=1"]
    words += ["objective.template=chat", "objective.loss_on=all", "adapter=full", "trainer.lr_schedule=constant"]
    whole, parts = (
        run_cell(tmp_path, *words, f"trainer.micro_batch_size={size}", "trainer.learning_rate=1e-4") for size in (8, 2)
    )
    # The same tokens with the same weights, in other sums.
    assert parts.losses() == pytest.approx(whole.losses(), rel=1e-3)
    assert len(parts.losses()) == 6, "one value per optimizer step, not per micro-batch"
    assert (whole.run.adapter(4) / "model.safetensors").is_file()
    assert whole.tracked.data.tags["stage"] == "instruct"


def test_a_learning_rate_of_0_moves_nothing(tmp_path: Path) -> None:
    still = run_cell(tmp_path, "trainer.learning_rate=0", "trainer.max_steps=8", "probe.pooling=mean")
    for k in (0, 1):
        for layer in LAYERS:
            assert set(still.history(f"velocity/H{k}/{layer}").values()) == {0.0}
    assert "checkpoints moved less than 3 x the rounding floor, or not at all" in still.stdout


def test_a_failing_run_says_so_everywhere(command: Command, tmp_path: Path) -> None:
    done = command("src.run", "experiment=smoke", "trainer.learning_rate=1e30", "trainer.clip=1e30")
    assert done.returncode == 1
    assert "training diverged at optimizer step 1: the loss is nan" in done.stderr
    assert "at a learning rate of" in done.stderr
    assert "lower trainer.learning_rate" in done.stderr
    assert "Traceback" not in done.stderr
    status = next(tmp_path.rglob("status.json"))
    assert json.loads(status.read_text())["state"] == "failed"
    client = MlflowClient(f"sqlite:///{tmp_path}/multirun/mlflow.db")
    assert client.get_run((status.parent / "mlflow_run_id").read_text()).info.status == "FAILED"
    assert "Traceback" in (status.parent / "run.log").read_text()


@pytest.mark.slow
def test_a_failed_cell_leaves_the_others_running_and_is_tried_again(command: Command, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    words = ("-m", f"model.path={broken},embedded:tiny", *FEW)
    done = command("src.run", *words)
    assert done.returncode == 1, done.stderr
    assert "holds no config.json" in done.stderr
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


@pytest.mark.slow
def test_a_run_on_nothing_but_the_users_own_files(command: Command, tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": f"Say {n}"}, {"role": "assistant", "content": f"{n}!"}]}
        for n in range(200)
    ]
    (tmp_path / "helpful.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "probes.txt").write_text("".join(f"What comes after {n}?\n" for n in range(64)))
    words = ["experiment=smoke", "objective.dialogues=jsonl", "objective.data_dir=.", "trainer.max_steps=4"]
    done = command("src.run", *words, "trainer.warmup_steps=1", "probe.file=probes.txt")
    assert done.returncode == 0, done.stderr
    (tmp_path / "probes.txt").write_text("".join(f"Say {n}\n" for n in range(64)))
    done = command("src.run", *words, "trainer.warmup_steps=2", "probe.file=probes.txt")
    assert done.returncode == 2
    assert "prompts begin like a training dialogue" in done.stderr
