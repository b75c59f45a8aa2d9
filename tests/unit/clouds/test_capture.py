"""Clouds are the model's own hidden states, and taking them disturbs nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from src.clouds.capture import capture_clouds
from src.clouds.layers import choose_layers
from src.training.network import Network
from tests.support.networks import PROMPTS, make_network


@pytest.fixture
def network() -> Network:
    return make_network("embedded:tiny")


def clouds_of(network: Network, pooling: str = "last", batch_size: int = 2) -> dict[str, np.ndarray]:
    layers = choose_layers(len(network.blocks))
    return capture_clouds(network.trunk, network.blocks, layers, PROMPTS, pooling=pooling, batch_size=batch_size)[0]


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_clouds_are_the_hidden_states_of_each_prompt_alone(network: Network, pooling: str) -> None:
    clouds = clouds_of(network, pooling)
    assert list(clouds) == [f"layer_{n:02d}" for n in range(1, 7)]
    network.causal.eval()
    for row, prompt in enumerate(PROMPTS):
        with torch.inference_mode():
            states = network.causal(input_ids=torch.tensor([prompt]), output_hidden_states=True).hidden_states
        for layer, cloud in enumerate(clouds.values(), start=1):
            expected = states[layer][0, -1] if pooling == "last" else states[layer][0].mean(0)
            # Padding to the batch's longest prompt changes the order of summation, nothing else.
            assert np.allclose(cloud[row], expected.numpy(), rtol=1e-4, atol=1e-4)


def test_capture_leaves_modes_random_state_and_gradients_alone(network: Network) -> None:
    network.model.train()
    frozen = network.blocks[2].eval()  # a part that its owner keeps in eval mode
    before = torch.random.get_rng_state()
    clouds_of(network)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert network.model.training
    assert not frozen.training
    assert all(not block._forward_hooks for block in network.blocks)
    assert all(p.grad is None for p in network.model.parameters())


def test_step_0_is_the_base_model(network: Network) -> None:
    with_adapter = clouds_of(network)
    with network.model.disable_adapter():
        base = clouds_of(network)
    for layer in base:
        assert np.array_equal(with_adapter[layer], base[layer])


def test_capture_is_repeatable_and_a_moved_adapter_shows(network: Network) -> None:
    first = clouds_of(network)
    assert all(np.array_equal(first[layer], again) for layer, again in clouds_of(network).items())
    with torch.no_grad():
        for name, parameter in network.model.named_parameters():
            if "lora_B" in name:
                parameter.add_(0.01)
    moved = clouds_of(network)
    assert all(not np.array_equal(first[layer], moved[layer]) for layer in first)


def test_a_model_without_padding_token_is_captured_too(shared_data: Path) -> None:
    clouds = clouds_of(make_network(str(shared_data / "models" / "stories260k")))
    assert {cloud.shape for cloud in clouds.values()} == {(5, 64)}
    assert len(clouds) == 5
