"""The module and its arithmetic on the embedded model: what moves, what does not, and by how much."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from src.clouds.store import read_clouds
from src.config import AdapterConfig, ModelConfig, ProbeConfig, TrainerConfig
from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule
from src.data.batches import collate
from src.data.rendering import IGNORED, Example
from src.rundir import RunDirectory
from src.system.signals import SignalHandler
from src.training.fit import fit
from src.training.inputs import RunHooks, load_inputs
from src.training.model import load_network
from src.training.module import _scheduler, summed_loss

from .test_capture import make_network
from .test_config import composed


def test_the_loss_is_the_models_own() -> None:
    network = make_network("embedded:tiny")
    network.model.eval()
    examples = [Example([5, 6, 7, 8], [IGNORED, IGNORED, 7, 8]), Example([9, 10, 11], [IGNORED, 10, 11])]
    batch = collate(examples, pad=1)
    with torch.inference_mode():
        expected = [network.causal(input_ids=torch.tensor([e.ids]), labels=torch.tensor([e.labels])) for e in examples]
        total = sum(float(out.loss) * e.targets for out, e in zip(expected, examples, strict=True))
        ours = float(summed_loss(network.causal, batch))
    assert math.isclose(ours, total, rel_tol=1e-5)


@pytest.mark.parametrize("name", ["constant", "linear", "cosine"])
def test_warm_up_counts_from_one_and_no_step_has_rate_0(name: str) -> None:
    settings = TrainerConfig(max_steps=20, warmup_steps=4, lr_schedule=name, learning_rate=0.1)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = _scheduler(optimizer, settings)
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert min(rates) > 0
    assert rates[-1] == (0.1 if name == "constant" else min(rates[4:]))


def test_no_warm_up_begins_at_the_peak() -> None:
    settings = TrainerConfig(max_steps=10, warmup_steps=0, lr_schedule="constant", learning_rate=0.1)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    _scheduler(optimizer, settings)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


def test_the_seed_sets_the_adapter_and_nothing_of_the_base() -> None:
    first, same, other = (
        load_network(
            ModelConfig(name="m", path="embedded:tiny", stage="pretrained"),
            AdapterConfig(kind="lora"), TrainerConfig(precision="float32"), ProbeConfig(), seed,
        ).model.state_dict()
        for seed in (0, 0, 1)
    )  # fmt: skip
    for name, tensor in first.items():
        assert torch.equal(tensor, same[name])
        assert torch.equal(tensor, other[name]) == ("lora_A" not in name)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_gradient_reaches_every_adapter_and_no_base_weight(checkpointing: bool) -> None:
    network = load_network(
        ModelConfig(name="m", path="embedded:tiny", stage="pretrained"),
        AdapterConfig(kind="lora"), TrainerConfig(precision="float32", gradient_checkpointing=checkpointing),
        ProbeConfig(), 0,
    )  # fmt: skip
    summed_loss(network.causal, collate([Example([5, 6, 7, 8], [IGNORED, 6, 7, 8])], pad=1)).backward()
    for name, parameter in network.model.named_parameters():
        if "lora_B" in name:  # lora_A has none before lora_B has left 0
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
        elif "lora_" not in name:
            assert parameter.grad is None, name


def test_weights_come_from_safetensors_only(tmp_path: Path) -> None:
    from src.assets import ASSETS
    from src.config import RequestError

    for file in (ASSETS / "tiny").iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(RequestError, match="safetensors"):
        make_network(str(tmp_path))


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
