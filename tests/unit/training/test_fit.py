"""What a fit moves, and what not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from src.clouds.store import read_clouds
from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule
from src.rundir import RunDirectory
from src.system.signals import SignalHandler
from src.training.fit import fit
from src.training.inputs import RunHooks, load_inputs
from tests.support.builders import composed


@pytest.mark.parametrize("words", [(), ("trainer.precision=bfloat16", "probe.precision=float32")])
def test_a_fit_moves_every_adapter_and_no_base_weight(words: tuple[str, ...], tmp_path: Path) -> None:
    config = resolve_config(composed("experiment=smoke", "trainer.max_steps=3", "trainer.progress=false", *words))
    inputs = load_inputs(config)
    before = {name: tensor.clone() for name, tensor in inputs.network.model.state_dict().items()}
    schedule, submitted, logged = plan_schedule(config.schedule, 3), [], {}
    fit(
        config, inputs, schedule, RunDirectory(tmp_path),
        RunHooks(
            submitted.append, lambda values, step: logged.setdefault(step, {}).update(values), SignalHandler()
        ),
    )  # fmt: skip
    for name, tensor in inputs.network.model.state_dict().items():
        assert torch.equal(tensor, before[name]) == ("lora_" not in name), name
    assert submitted == sorted(schedule.captured)
    assert all(logged[step].keys() >= {"behavior/train_loss", "behavior/grad_norm"} for step in range(3))
    assert inputs.network.model.training
    floor, base = (
        read_clouds(path) for path in (RunDirectory(tmp_path).floor_clouds(), RunDirectory(tmp_path).clouds(0))
    )
    for layer, cloud in base.items():
        assert np.allclose(floor[layer], cloud, rtol=1e-3, atol=1e-3), "the same prompts in other batches"
