"""Somebody's own training, measured while it goes on and from what it saved: the same numbers, and the same losses."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path

import lightning
import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)  # fmt: skip

from src.clouds.store import read_clouds
from src.integrations import TopologyCallback, TopologyLightningCallback, TopologyObserver
from src.rundir import RunDirectory
from src.rundir.find import read_mlflow_id
from tests.support.processes import ENVIRONMENT, require, run_module, wait_until
from tests.support.runs import client_here, stored
from tests.support.series import PROMPTS, TINY

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

STEPS, MAX_STEPS = [0, 1, 4], 6
SAVED = {1, 2, 3, 4, 5, 6}
QUICK = {"tda.subsamples": 0, "tda.null_draws": 2, "tda.workers": 1}
WORDS = [f"{key}={value}" for key, value in QUICK.items()]
KEY = ["step", "pair_step", "layer", "dimension", "quantity", "sample"]


def fresh() -> PreTrainedModel:
    torch.manual_seed(5)
    return (
        AutoModelForCausalLM.from_pretrained(TINY, dropout=0.1) if False else AutoModelForCausalLM.from_pretrained(TINY)
    )


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(TINY)


def examples(tokenizer: PreTrainedTokenizerBase) -> list[dict[str, list[int]]]:
    rows = [tokenizer(prompt)["input_ids"][:8] for prompt in PROMPTS]
    return [{"input_ids": ids, "labels": ids} for ids in rows if len(ids) == 8]


class SaveSteps(TrainerCallback):
    def on_step_end(self, args: object, state: object, control: object, **_: object) -> None:
        control.should_save = state.global_step in SAVED


class EndAt(TrainerCallback):
    """Early stopping, or a cell of a notebook that is interrupted."""

    def __init__(self, step: int, error: type[BaseException] | None = None) -> None:
        self.step, self.error = step, error

    def on_step_end(self, args: object, state: object, control: object, **_: object) -> None:
        if state.global_step == self.step:
            if self.error is not None:
                raise self.error
            control.should_training_stop = True


def train(
    out: Path, tokenizer: PreTrainedTokenizerBase, callbacks: Sequence[TrainerCallback] = (), max_steps: int = MAX_STEPS
) -> list[float]:  # fmt: skip
    """Losses of a training by the Trainer of transformers."""
    arguments = TrainingArguments(
        str(out), max_steps=max_steps, per_device_train_batch_size=4, logging_steps=1, save_strategy="no",
        report_to=[], use_cpu=True, learning_rate=1e-3, disable_tqdm=True, seed=3,
    )  # fmt: skip
    trainer = Trainer(
        fresh(), arguments, train_dataset=examples(tokenizer), processing_class=tokenizer, callbacks=list(callbacks)
    )
    trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


def table_of(run: RunDirectory) -> pd.DataFrame:
    return pd.read_parquet(run.table).sort_values(KEY).reset_index(drop=True)


def the_run(place: Path, name: str) -> RunDirectory:
    (found,) = place.glob(f"multirun/{name}/*/*/*/config.yaml")
    return RunDirectory(found.parent)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, fresh_database: Path, tokenizer: PreTrainedTokenizerBase
) -> Path:  # fmt: skip
    """A folder in which a training was measured while it went on."""
    place = tmp_path_factory.mktemp("trained")
    (place / "multirun").mkdir()
    shutil.copy(fresh_database, place / "multirun")
    (place / "probes.txt").write_text("\n".join(PROMPTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        callback = TopologyCallback(
            "probes.txt", steps=STEPS, model="seen", run="mine", config=QUICK | {"probe.size": 24}
        )
        losses = train(place / "out", tokenizer, [SaveSteps(), callback])
        assert callback.observer is not None
        assert callback.observer.run == RunDirectory(Path("multirun/seen/none/vietoris_rips/mine"))
        assert losses == train(place / "plain", tokenizer), "bit-identical without it"
    return place


def words(*more: str) -> list[str]:
    base = f"track.base={TINY}"
    return ["track.checkpoints=out/checkpoint-*", base, "probe.file=probes.txt", "probe.size=24", *WORDS, *more]


SCHEDULE = ["schedule.steps=[0,1,4]", "schedule.lag=1"]


def test_saved_checkpoints_give_what_the_callback_measured(trained: Path) -> None:
    """Also where the command was killed and started again."""
    asked = words("model.name=saved", *SCHEDULE)
    with subprocess.Popen([sys.executable, "-m", "src.track", *asked], cwd=trained, env=ENVIRONMENT) as process:
        wait_until(lambda: bool(list(trained.glob("multirun/saved/*/*/*/step_000002/clouds.safetensors"))))
        process.send_signal(signal.SIGKILL)
    seen, tracked = the_run(trained, "seen"), the_run(trained, "saved")
    assert tracked.read_status()["state"] == "running"
    tracked.floor_clouds(1).write_bytes(b"damaged")
    done = run_module("src.track", *asked, cwd=trained, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert [run.read_status()["state"] for run in (seen, tracked)] == ["done", "done"]
    captured = sorted(step for step in tracked.steps() if tracked.clouds(step).exists())
    assert captured == [0, 1, 2, 3, 4, 5, 6]
    for step in captured:
        ours, theirs = read_clouds(tracked.clouds(step)), read_clouds(seen.clouds(step))
        assert all(np.array_equal(ours[layer], theirs[layer]) for layer in theirs)
    table = table_of(seen)
    pd.testing.assert_frame_equal(table_of(tracked), table, check_exact=True)
    assert {"velocity", "excess", "drift", "train_loss", "learning_rate", "kl_to_base"} <= set(table.quantity)
    kept, made = (read_clouds(run.floor_clouds(1)) for run in (seen, tracked))
    assert all(np.array_equal(made[layer], kept[layer]) for layer in kept), "captured again, with its step"
    # As if its process had been killed before it removed them.
    assert "done already" in run_module("src.track", *asked, "clouds.keep=last", cwd=trained, **ENVIRONMENT).stdout
    assert sorted(step for step in tracked.steps() if tracked.clouds(step).exists()) == [0, 4, 5, 6]


def test_a_trainer_that_was_interrupted_and_one_that_stops_early(
    stored_here: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    callback = TopologyCallback(PROMPTS, steps=STEPS, config=QUICK)
    with pytest.raises(KeyboardInterrupt):
        train(stored_here / "out", tokenizer, [callback, EndAt(1, KeyboardInterrupt)])
    assert callback.observer is not None
    assert callback.observer.run is not None
    first = callback.observer.run
    assert first.read_status()["state"] == "running"
    train(stored_here / "out", tokenizer, [callback, EndAt(3)])
    assert callback.observer.run is not None
    second = callback.observer.run
    assert [run.read_status()["state"] for run in (first, second)] == ["interrupted", "partial"]
    assert "another training began" in first.read_status()["reason"]
    assert "ended after step 3 of 6: 2 of 3 checkpoints" in second.read_status()["summary"]["missing"]
    with pytest.raises(RuntimeError, match="ended after step 1 of 6, before the pairs of any checkpoint"):
        train(stored_here / "out", tokenizer, [callback, EndAt(1)])


def stopping(band: float) -> dict[str, object]:
    """Settings by which a training ends at step 15 if its changes stay inside a band, else not at all."""
    return QUICK | {
        "trainer.stop": "topology", "trainer.stop_patience": 5, "trainer.stop_band": band,
        "schedule.repeats": 1, "schedule.dense_windows": 0,
    }  # fmt: skip


LEVEL_STEPS, LEVEL_MAX, LEVELLED = list(range(0, 24, 2)), 24, 15


def assert_stopped(run: RunDirectory | None) -> None:
    assert run is not None
    status = run.read_status()
    assert (status["state"], status["summary"]["last_step"], status["summary"]["checkpoints"]) == ("done", LEVELLED, 8)
    assert "9 steps saved" in status["summary"]["stopped"]
    tags = client_here().get_run(id_of(run)).data.tags
    assert (tags["stopped_at"], tags["stopped_by"]) == (str(LEVELLED), "topology")


def test_a_course_that_has_levelled_off_ends_the_trainer(stored_here: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    callback = TopologyCallback(PROMPTS, steps=LEVEL_STEPS, config=stopping(1000))
    assert len(train(stored_here / "out", tokenizer, [callback], LEVEL_MAX)) == LEVELLED
    assert callback.observer is not None
    assert_stopped(callback.observer.run)


def test_a_course_that_has_levelled_off_ends_lightning(stored_here: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    callback = TopologyLightningCallback(tokenizer, PROMPTS, steps=LEVEL_STEPS, config=stopping(1000))
    assert len(fit(tokenizer, LEVEL_MAX, callback)) == LEVELLED
    assert callback.observer is not None
    assert_stopped(callback.observer.run)


def test_a_loop_is_told_that_the_course_has_levelled_off(stored_here: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    def watched(band: float) -> tuple[TopologyObserver, int]:
        observer, model = TopologyObserver(
            tokenizer, LEVEL_MAX, probes=PROMPTS, steps=LEVEL_STEPS, run=f"band{band:g}", config=stopping(band)
        ), fresh()  # fmt: skip
        for step in range(LEVEL_MAX + 1):
            with torch.no_grad():
                for weight in model.parameters():
                    weight.add_(1e-4 * torch.randn_like(weight)) if step else None
            observer.observe(model, step)
            if observer.should_stop:
                break
        observer.finish()
        return observer, step

    observer, last = watched(1000)
    assert last == LEVELLED
    assert_stopped(observer.run)
    observer, last = watched(1.001)
    assert last == LEVEL_MAX
    assert observer.run is not None
    assert "stopped" not in observer.run.read_status()["summary"]


class Module(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.net, self.losses = fresh(), []

    def training_step(self, batch: dict[str, torch.Tensor], _: int) -> torch.Tensor:
        loss = self.net(**batch).loss
        self.losses.append(loss.item())
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def fit(tokenizer: PreTrainedTokenizerBase, max_steps: int, *callbacks: lightning.Callback) -> list[float]:
    lightning.seed_everything(1, verbose=False)
    trainer = lightning.Trainer(
        max_steps=max_steps, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=list(callbacks),
    )  # fmt: skip
    module = Module()
    trainer.fit(module, DataLoader(examples(tokenizer), 4, shuffle=True, collate_fn=collate))
    return module.losses


def test_a_module_of_lightning_trains_as_without_it(stored_here: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    callback = TopologyLightningCallback(tokenizer, PROMPTS, steps=[0, 1], config=QUICK)
    assert fit(tokenizer, 3, callback) == fit(tokenizer, 3)
    assert callback.observer is not None
    assert callback.observer.run is not None
    run = callback.observer.run
    assert run.read_status()["state"] == "done"
    assert set(table_of(run).query("quantity == 'drift'").step) == {0, 1}
    assert run.path.parts[1:4] == ("tiny", "none", "vietoris_rips")


def test_a_trainer_without_steps_is_refused(place: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    callback = TopologyLightningCallback(tokenizer, PROMPTS)
    trainer = lightning.Trainer(
        max_steps=-1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback],
    )  # fmt: skip
    with pytest.raises(
        ValueError, match=r"max_steps=-1: how many steps the trainer takes is not known; give it max_steps"
    ):
        trainer.fit(Module(), DataLoader(Endless(), 4, collate_fn=collate))


class Endless(torch.utils.data.IterableDataset):
    def __iter__(self) -> Iterator[dict[str, list[int]]]:
        return cycle([{"input_ids": [5, 6, 7], "labels": [5, 6, 7]}])


def loop(
    observer: TopologyObserver, tokenizer: PreTrainedTokenizerBase, first: int, *, fault: int | None = None,
    end: int = MAX_STEPS, logged: float | None = None,
) -> None:  # fmt: skip
    """A training by hand; the state at `first` is that after so many updates, `logged` the loss that it says it has."""
    model = fresh()
    optimizer = torch.optim.SGD(model.parameters(), 1e-2)
    rows = collate(examples(tokenizer)[:4])
    for step in range(end + 1):
        if step >= first:
            before = random.getstate(), torch.get_rng_state()
            observer.observe(model, step)
            assert before[0] == random.getstate()
            assert torch.equal(before[1], torch.get_rng_state())
            if logged is not None:
                observer.log({"train_loss": logged}, step)
        if step == fault:
            raise OSError("the power went")
        model(**rows).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def test_a_loop_by_hand_that_was_stopped_goes_on(stored_here: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    def observer(name: str) -> TopologyObserver:
        return TopologyObserver(tokenizer, MAX_STEPS, probes=PROMPTS, steps=STEPS, run=name, config=QUICK)

    with observer("whole") as whole:
        loop(whole, tokenizer, 0)
    with pytest.raises(OSError, match="the power went"), observer("parts") as parts:
        loop(parts, tokenizer, 0, fault=2)
    assert parts.run is not None
    assert parts.run.read_status()["state"] == "failed"
    with pytest.raises(ValueError, match="holds a run that did not end"):
        loop(observer("parts"), tokenizer, 0)
    with observer("parts") as early:
        loop(early, tokenizer, 2, end=5, logged=1.0)
    assert parts.run.read_status()["state"] == "partial"
    summary = parts.run.read_status()["summary"]
    assert (summary["checkpoints"], summary["last_step"]) == (2, 5)
    assert summary["missing"] == "training ended after step 5 of 6: 2 of 3 checkpoints are measured"
    with pytest.raises(ValueError, match="holds a run of a training that ended early"):
        loop(observer("parts"), tokenizer, 0)
    with observer("parts") as rest:
        loop(rest, tokenizer, 4, logged=2.0)
    assert parts.run.read_status()["state"] == "done"
    assert whole.run is not None
    table = table_of(parts.run)
    losses = table[table.quantity == "train_loss"]
    # What was logged up to the step that the last training went on from stays, the rest is of that training.
    assert dict(zip(losses.step, losses.value, strict=True)) == {2: 1.0, 3: 1.0, 4: 1.0, 5: 2.0, 6: 2.0}
    rest_of_it = table[table.quantity != "train_loss"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest_of_it, table_of(whole.run), check_exact=True)
    numbers = Counter(
        (key, step) for key, _, _, step in stored(stored_here / "multirun" / "mlflow.db", id_of(parts.run))
    )
    assert numbers
    assert set(numbers.values()) == {1}, "each number once"
    client = client_here()
    names = [run.info.run_id for run in client.search_runs([e.experiment_id for e in client.search_experiments()])]
    assert sorted(names) == sorted(map(id_of, (whole.run, parts.run))), "the earlier one is replaced"


def id_of(run: RunDirectory) -> str:
    found = read_mlflow_id(run)
    assert found
    return found


TRL = Path(__file__).parents[1] / "support" / "trl_training.py"


@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_trl_trains_as_without_it(shared_data: Path, tmp_path: Path, kind: str) -> None:
    require(find_spec("trl") is not None, "trl is not installed")
    # A script without `if __name__ == "__main__"`, as people write them: a worker must not train once more.
    done = [
        subprocess.run(
            [sys.executable, TRL, kind, str(shared_data), how], cwd=tmp_path, env=ENVIRONMENT | {"HF_HUB_OFFLINE": "1"},
            capture_output=True, text=True,
        )
        for how in ("with", "without")
    ]  # fmt: skip
    assert [one.returncode for one in done] == [0, 0], done[0].stderr + done[1].stderr
    assert (tmp_path / "with.json").read_text() == (tmp_path / "without.json").read_text()
    run = the_run(tmp_path, "stories260k")
    assert run.read_status()["state"] == "done"
    assert {"velocity", "drift", "train_loss"} <= set(table_of(run).quantity)
    if kind == "sft":
        model = shared_data / "models" / "stories260k"
        series = ["track.checkpoints=out/checkpoint-*", f"track.base={model}", f"model.path={model}"]
        probes = [f"probe.file={next(tmp_path.glob('multirun/probes/*'))}", "probe.size=24"]
        again = run_module("src.track", *series, *probes, *WORDS, *SCHEDULE, cwd=tmp_path, **ENVIRONMENT)
        assert again.returncode == 0, again.stderr
        pd.testing.assert_frame_equal(table_of(the_run(tmp_path, "local")), table_of(run), check_exact=True)
