"""Parts of the memory and of the time, and what they add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.config import Config
from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule
from src.forecast.estimate import END, Memory, estimate_memory, estimate_seconds, peak_bytes
from src.forecast.shapes import Pass, ShapedNetwork
from src.forecast.speed import DEVICES, Speed, table_speed
from src.forecast.workload import TOKENS, assume_workload, read_workload
from tests.support.builders import composed


def configured(*words: str) -> Config:
    return resolve_config(composed("trainer.precision=float32", *words))


def test_the_memory_is_what_stands_and_the_largest_pass() -> None:
    memory = Memory(0.0, 10.0, 1.0, 3.0, step=5.0, capture=7.0, evaluation=2.0)
    assert memory.peak == 21.0
    assert replace(memory, process=100.0).peak == 126.0, "a CPU's allocator finds nothing in one piece"


def test_weights_adapter_and_moments_are_those_of_the_network() -> None:
    for kind, adapter in (("lora", 4 * 112_128), ("full", 0)):
        config = configured(f"adapter={kind}")
        shaped = ShapedNetwork(config)
        memory = estimate_memory(config, shaped, read_workload(config))
        assert memory.adapter == adapter
        assert memory.weights == 4 * 1_238_656
        assert memory.moments == 12 * shaped.trained
        few = replace(config, trainer=replace(config.trainer, micro_batch_size=2))
        assert estimate_memory(few, shaped, read_workload(few)).step < memory.step / 2


def test_the_time_is_counted_by_the_schedule() -> None:
    config = configured("trainer.max_steps=20", "schedule=list", "schedule.steps=[0,10]", "schedule.dense_windows=0")
    shaped, speed = ShapedNetwork(config), Speed(2.0, 3.0, 5.0)
    seconds = estimate_seconds(config, shaped, speed, topology=0.0, start=1.0)
    captured, floor = (len(getattr(plan_schedule(config.schedule, 20), name)) for name in ("captured", "floor_steps"))
    assert seconds.training == 40.0
    assert seconds.capture == pytest.approx(3.0 * (captured + floor * 32 / 256))
    assert seconds.behaviour == 15.0, "step 0, the last checkpoint and the end"
    assert seconds.total == pytest.approx(40 + seconds.capture + 15 + seconds.saving + 1 + END)
    slow = estimate_seconds(config, shaped, speed, topology=100.0, start=1.0)
    assert slow.topology == 100.0 * 6 * 2
    assert slow.waiting > 0


def test_lengths_are_read_where_they_are_and_assumed_where_they_are_not() -> None:
    read = read_workload(configured("trainer.max_steps=12"))
    assert read.origin == "read off the dialogues"
    assert read.largest.tokens >= read.typical.tokens
    assert len(read.typical.lengths) == 8
    assert len(read.probes) == 256
    assumed = read_workload(configured("model=llama7b", "trainer.micro_batch_size=2"))
    assert assumed.origin.startswith("assumed, the dialogues are not here")
    assert assumed.typical == Pass((TOKENS,) * 2, (60,) * 2)
    assert assumed.tokens == 8 * TOKENS


def test_a_sweep_knows_the_memory_of_each_model_whose_architecture_is_known() -> None:
    assert peak_bytes(configured("model=llama7b", "trainer.precision=bfloat16")) == pytest.approx(30e9, rel=0.3)
    assert peak_bytes(configured("model=local", "model.path=tests")) is None


def test_a_device_of_the_table_takes_what_was_measured_there() -> None:
    config = configured("model=llama7b", "trainer.precision=bfloat16")
    speed = table_speed(DEVICES["NVIDIA H200"], ShapedNetwork(config), assume_workload(config, "assumed"))
    assert speed.step == pytest.approx(1356 / 8233, rel=0.15)
    assert speed.capture == pytest.approx(1.78, rel=0.15)
