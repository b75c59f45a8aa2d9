"""What a fit moves, and what not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from src.clouds.floor import reference_rows
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
    run = RunDirectory(tmp_path)
    assert sorted(step for step in run.steps() if run.floor_clouds(step).exists()) == sorted(
        {step for pair in schedule.floor_pairs for step in pair}
    )
    references = read_clouds(run.floor_clouds(0))
    for layer, cloud in read_clouds(run.clouds(0)).items():
        rows = cloud[reference_rows(len(cloud))]
        assert np.allclose(references[layer], rows, rtol=1e-3, atol=1e-3), "some of the prompts, in other batches"
