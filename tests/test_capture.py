"""Clouds are the model's own hidden states, and taking them disturbs nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from src.clouds.capture import capture_clouds
from src.clouds.layers import choose_layers
from src.clouds.prepare import prepare_points
from src.clouds.store import read_clouds, write_clouds
from src.config import AdapterConfig, ModelConfig, ProbeConfig, TrainerConfig
from src.training.model import Network, load_network

PROMPTS = [[5, 6, 7], [9, 10, 11, 12, 13, 14, 15], [8], [20, 21, 22, 23], [30, 31]]


def make_network(path: str, **adapter: object) -> Network:
    model = ModelConfig(name="m", path=path, stage="pretrained")
    chosen = AdapterConfig(**({"kind": "lora"} | adapter))
    return load_network(model, chosen, TrainerConfig(precision="float32"), ProbeConfig(), seed=0)


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


@pytest.mark.parametrize(("blocks", "count"), [(6, 6), (12, 12), (16, 9), (32, 9), (80, 9)])
def test_layers_are_all_or_nine_with_first_and_last(blocks: int, count: int) -> None:
    layers = choose_layers(blocks)
    assert len(layers) == count
    assert (layers[0], layers[-1]) == (1, blocks)


def test_clouds_come_back_from_disk_bit_for_bit(tmp_path: Path) -> None:
    clouds = {f"layer_{n:02d}": np.random.default_rng(n).normal(size=(7, 3)).astype(np.float32) for n in (2, 1, 10)}
    write_clouds(tmp_path / "c.safetensors", clouds, step=3, probe_hash="x")
    back = read_clouds(tmp_path / "c.safetensors")
    assert list(back) == ["layer_01", "layer_02", "layer_10"]
    assert all(np.array_equal(back[layer], clouds[layer]) for layer in clouds)
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"], "no partial file stays"


def test_standardized_points_use_the_statistics_of_step_0() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=(50, 4)) * [1, 10, 100, 0]
    assert np.allclose(prepare_points(base, base, metric="standardized", points=None)[0].std(0), [1, 1, 1, 0])
    moved, _ = prepare_points(3 * base, base, metric="standardized", points=20)
    assert moved.shape == (20, 4)
    assert np.array_equal(prepare_points(base, base, metric="euclidean", points=20)[0], base[:20])
