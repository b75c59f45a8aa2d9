"""Which checkpoints are meant, of which steps, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import RequestError
from src.series.find import complete_track, find_series
from tests.support.series import WEIGHTS, asked, write_checkpoint

LORA = {"base_model_name_or_path": "some/base", "peft_type": "LORA", "r": 2, "lora_alpha": 4}


def test_steps_come_from_the_trainer_then_the_name_in_their_order(tmp_path: Path) -> None:
    for folder in ("checkpoint-20", "checkpoint-100", "checkpoint-3"):
        write_checkpoint(tmp_path / folder)
    write_checkpoint(tmp_path / "checkpoint-final", step=140)
    series = find_series(asked(checkpoints=[f"{tmp_path}/checkpoint-*"]))
    assert series.steps == [3, 20, 100, 140]
    assert series.source == "checkpoints"
    assert find_series(asked(checkpoints=[f"{tmp_path}/checkpoint-?", f"{tmp_path}/checkpoint-20"])).steps == [3, 20]


@pytest.mark.parametrize(
    ("name", "step"), [("step1000", 1000), ("stage1-step1000-tokens5B", 1000), ("epoch_7", 7), ("iter_0000500", 500)]
)
def test_a_name_says_its_step(tmp_path: Path, name: str, step: int) -> None:
    paths = [str(write_checkpoint(tmp_path / folder)) for folder in (name, "step0")]
    assert find_series(asked(checkpoints=paths)).steps == [0, step]


def test_steps_that_are_given_count(tmp_path: Path) -> None:
    paths = [str(write_checkpoint(tmp_path / name)) for name in ("a", "b", "checkpoint-7")]
    assert list(find_series(asked(checkpoints=paths, steps=[5, 0, 9])).steps) == [0, 5, 9]


def refused(tmp_path: Path, *paths: object, **more: object) -> str:
    with pytest.raises(RequestError) as caught:
        find_series(asked(checkpoints=[str(path) for path in paths or [f"{tmp_path}/checkpoint-*"]], **more))
    message = str(caught.value)
    assert message.startswith("track.")
    assert "\n" not in message
    return message


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    assert "nothing has such a name" in refused(tmp_path)
    assert "no such folder" in refused(tmp_path, tmp_path / "gone")
    (tmp_path / "checkpoint-1").mkdir()
    assert "checkpoint-1: holds no *.safetensors" in refused(tmp_path)
    (tmp_path / "checkpoint-1" / "pytorch_model.bin").touch()
    assert "could run code" in refused(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert "is a file" in refused(tmp_path, tmp_path / "notes.txt")
    (tmp_path / "checkpoint-1" / "model.safetensors").write_bytes(b"cut")
    assert "is damaged or cut off" in refused(tmp_path)


def test_a_name_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "run[1]"
    for step in (1, 2):
        write_checkpoint(folder / f"checkpoint-{step}[best]")
    named = [f"{folder}/checkpoint-{step}[best]" for step in (1, 2)]
    assert find_series(asked(checkpoints=named)).steps == [1, 2]
    assert find_series(asked(checkpoints=[f"{folder}/checkpoint-*"])).steps == [1, 2]


@pytest.mark.parametrize("broken", ["{", "[]", ""])
def test_files_of_json_that_hold_something_else_are_named(tmp_path: Path, broken: str) -> None:
    for step in (1, 2):
        write_checkpoint(tmp_path / f"checkpoint-{step}", adapter=LORA)
    (tmp_path / "checkpoint-2" / "adapter_config.json").write_text(broken)
    assert "checkpoint-2/adapter_config.json is damaged" in refused(tmp_path)
    (tmp_path / "checkpoint-1" / "tokenizer.json").write_text(broken)
    assert "its tokenizer.json is another one" in refused(tmp_path)


def test_a_step_that_is_not_said_or_said_twice_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "checkpoint-best")
    assert "checkpoint-best: says no optimizer step" in refused(tmp_path)
    write_checkpoint(tmp_path / "checkpoint-9")
    write_checkpoint(tmp_path / "again", step=9)
    twice = refused(tmp_path, tmp_path / "checkpoint-9", tmp_path / "again")
    assert "are both of step 9" in twice
    assert "1 steps of 2 checkpoints" in refused(tmp_path, steps=[3])


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"shapes": {"model.embed": (8, 4)}}, "it lacks model.head"),
        ({"shapes": WEIGHTS | {"more": (1,)}}, "it has besides more"),
        ({"shapes": WEIGHTS | {"model.head": (4, 9)}}, "it has in another shape or precision model.head"),
        ({"tokens": "b"}, "its tokenizer.json is another one"),
        ({"adapter": LORA}, "is a checkpoint of kind adapter, the others model"),
    ],
)
def test_the_odd_one_is_named(tmp_path: Path, odd: dict, why: str) -> None:
    for step in (1, 2, 3):
        write_checkpoint(tmp_path / f"checkpoint-{step}")
    write_checkpoint(tmp_path / "checkpoint-4", **odd)
    message = refused(tmp_path)
    assert "checkpoint-4: is" in message
    assert why in message


def test_adapters_have_one_base_and_step_0_is_it(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        write_checkpoint(tmp_path / f"checkpoint-{step}", adapter=LORA)
    request = asked(checkpoints=[f"{tmp_path}/checkpoint-*"])
    series = find_series(request)
    complete = complete_track(request, series)
    assert (series.source, complete.model.path) == ("adapters", "some/base")
    assert complete.track.steps == [0, 10, 20, 30]
    assert complete.schedule.lag == 10
    write_checkpoint(tmp_path / "checkpoint-40", adapter=LORA | {"base_model_name_or_path": "other/base"})
    assert "checkpoint-40: is not of the same training" in (odd := refused(tmp_path))
    assert "stands on other/base, the others on some/base" in odd


def test_one_checkpoint_is_no_series(tmp_path: Path) -> None:
    request = asked(checkpoints=[str(write_checkpoint(tmp_path / "checkpoint-4"))])
    with pytest.raises(RequestError, match="only step 4, so nothing moves"):
        complete_track(request, find_series(request))
