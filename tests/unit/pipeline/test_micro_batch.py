"""The number of dialogues of a forward pass that is chosen: by memory, kept, and without a say in the losses."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import Config, RequestError
from src.config.resolve import resolve_config
from src.pipeline.micro_batch import halved, is_out_of_memory, keep_micro_batch, remedies, resolve_micro_batch
from src.rundir import RunDirectory
from src.training.inputs import RunInputs, load_inputs
from tests.support.builders import composed

WORDS = ("trainer.max_steps=4", "probe.size=24", "trainer.micro_batch_size=auto", "trainer.precision=float32")


@pytest.fixture(scope="module")
def config() -> Config:
    return resolve_config(composed(*WORDS))


@pytest.fixture(scope="module")
def inputs(config: Config) -> RunInputs:
    return load_inputs(config)


def test_divisors_go_down_by_halves_at_least() -> None:
    assert list(halved(8)) == [8, 4, 2, 1]
    assert list(halved(6)) == [6, 3, 1]
    assert list(halved(7)) == [7, 1]


def test_all_fit_where_there_is_room_and_fewer_where_there_is_less(
    config: Config, inputs: RunInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDirectory(tmp_path)
    assert resolve_micro_batch(config, inputs, run).trainer.micro_batch_size == 8
    monkeypatch.setattr("src.pipeline.micro_batch.free_memory_gb", lambda: 0.08)
    found = resolve_micro_batch(config, inputs, run)
    assert found.trainer.micro_batch_size in (1, 2, 4)
    assert inputs.data.training.micro == found.trainer.micro_batch_size
    keep_micro_batch(found, run)
    monkeypatch.undo()
    assert resolve_micro_batch(config, inputs, run) == found, "kept for a start that goes on"
    run.micro_batch.write_text("{}")
    assert resolve_micro_batch(config, inputs, run).trainer.micro_batch_size == 8, "damaged: chosen again"


def test_what_cannot_fit_is_refused_with_settings_that_take_less(
    config: Config, inputs: RunInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.pipeline.micro_batch.free_memory_gb", lambda: 1e-6)
    with pytest.raises(RequestError, match=r"not even one dialogue fits .*trainer\.gradient_checkpointing=true"):
        resolve_micro_batch(config, inputs, RunDirectory(tmp_path))


def test_a_number_that_was_given_is_taken(inputs: RunInputs, tmp_path: Path) -> None:
    given = resolve_config(composed(*WORDS[:2], "trainer.micro_batch_size=2", "adapter=full"))
    assert resolve_micro_batch(given, inputs, RunDirectory(tmp_path)) is given
    assert "trainer.micro_batch_size=1" in remedies(given)
    assert "adapter=lora" in remedies(given)


def test_memory_that_is_short_is_told_from_other_errors() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"))
    assert not is_out_of_memory(RuntimeError("pin memory thread exited unexpectedly"))
