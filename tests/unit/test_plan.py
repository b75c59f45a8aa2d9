"""What a plan advises where a run does not fit."""

from __future__ import annotations

import pytest

from src.config.resolve import resolve_config
from src.forecast.estimate import estimate_memory
from src.forecast.shapes import ShapedNetwork
from src.forecast.workload import read_workload
from src.plan import _fitting
from tests.support.builders import composed


def test_fewer_dialogues_a_pass_are_advised_where_they_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.forecast.estimate.process_bytes", lambda is_elsewhere: 1e8)  # this process grows
    config = resolve_config(composed("trainer.max_steps=4", "trainer.precision=float32"))
    shaped = ShapedNetwork(config)
    memory = estimate_memory(config, shaped, read_workload(config))
    standing = memory.peak - memory.step
    assert _fitting(config, shaped, standing + memory.step * 0.6, 1.0) == "trainer.micro_batch_size=4 fits"
    nothing = _fitting(config, shaped, standing / 2, 1.0)
    assert nothing.startswith("fewer dialogues a pass are not enough: give trainer.micro_batch_size=1")
    assert "trainer.gradient_checkpointing=true" in nothing
