"""Models as they are loaded: what the seed sets, what a gradient reaches, what may be read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from src.config import ModelConfig, TrainerConfig
from src.data.batches import collate
from src.data.rendering import IGNORED, Example
from src.training.loss import summed_loss
from src.training.model import load_network
from tests.support.networks import make_adapter, make_network


def test_the_seed_sets_the_adapter_and_nothing_of_the_base() -> None:
    first, same, other = (
        load_network(
            ModelConfig(name="m", path="embedded:tiny", stage="pretrained"),
            make_adapter(), TrainerConfig(precision="float32"), seed,
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
        make_adapter(), TrainerConfig(precision="float32", gradient_checkpointing=checkpointing),
        0,
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
