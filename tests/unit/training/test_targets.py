"""Which layers LoRA stands beside; what is left out in families of their own is checked in test_architectures."""

from __future__ import annotations

import pytest
import torch

from src.config import RequestError
from src.training.targets import choose_targets, find_layers
from tests.support.networks import make_network


def test_all_are_those_that_peft_takes_of_a_model_of_text() -> None:
    from peft import LoraConfig, get_peft_model

    network = make_network("embedded:tiny", kind="full")
    chosen = choose_targets(network, "auto")
    assert len(chosen) == 7 * len(network.blocks)
    model = get_peft_model(network.causal, LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"))
    wrapped = {name.partition(".lora_A")[0] for name, _ in model.named_parameters() if "lora_A" in name}
    assert {f"base_model.model.{name}" for name in chosen} == wrapped


def test_endings_choose_among_them() -> None:
    network = make_network("embedded:tiny", kind="full")
    chosen = choose_targets(network, ["q_proj", "0.mlp.up_proj"])
    assert set(chosen) == {n for n in find_layers(network) if n.endswith(".q_proj")} | {"model.layers.0.mlp.up_proj"}
    # What is drawn for the chosen layers is what is trained.
    trained = {
        name for name, tensor in make_network("embedded:tiny", targets=["q_proj"]).model.named_parameters()
        if tensor.requires_grad
    }  # fmt: skip
    assert len(trained) == 2 * len(network.blocks)
    assert all(".q_proj.lora_" in name for name in trained)


@pytest.mark.parametrize("ending", ["lm_head", "embed_tokens", "proj", "q_prog", "norm", ".*"])
def test_an_ending_of_no_such_layer_is_refused_with_those_that_there_are(ending: str) -> None:
    network = make_network("embedded:tiny", kind="full")
    with pytest.raises(RequestError) as refused:
        choose_targets(network, [ending, "q_proj"])
    assert f"is called {ending}; there are q_proj, k_proj, v_proj, o_proj, gate_proj" in str(refused.value)


def test_a_model_without_such_layers_is_refused() -> None:
    network = make_network("embedded:tiny", kind="full")
    for block in network.blocks:
        for name in ("self_attn", "mlp"):
            setattr(block, name, torch.nn.Identity())
    with pytest.raises(RequestError, match="has no linear layer that LoRA can adapt; use adapter=full"):
        choose_targets(network, "auto")
