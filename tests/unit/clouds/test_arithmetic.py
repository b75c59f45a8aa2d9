"""Probes are read in float32 over weights of any precision, and everything is put back."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    FalconConfig,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MixtralConfig,
    OPTConfig,
    PreTrainedConfig,
)

from src.clouds.arithmetic import choose_arithmetic
from src.clouds.capture import capture_clouds, find_blocks

SIZE = {"vocab_size": 2000, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
FAMILIES: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**SIZE, intermediate_size=48, num_key_value_heads=2),
    "gpt2": GPT2Config(vocab_size=2000, n_embd=32, n_layer=3, n_head=4),
    "gpt_neox": GPTNeoXConfig(**SIZE, intermediate_size=48),
    "gemma2": Gemma2Config(**SIZE, intermediate_size=48, num_key_value_heads=2, head_dim=8),  # scales its embeddings
    "opt": OPTConfig(**SIZE, ffn_dim=48, word_embed_proj_dim=16),  # projects them
    "falcon": FalconConfig(**SIZE),
    "bloom": BloomConfig(vocab_size=2000, hidden_size=32, n_layer=3, n_head=4),  # norms them
    "mixtral": MixtralConfig(**SIZE, intermediate_size=48, num_key_value_heads=2, num_local_experts=4),
}
PROMPTS = [list(range(3, 3 + n)) for n in (5, 9, 7, 4)]


def capture(causal: torch.nn.Module, arithmetic: str = "float32") -> dict[str, np.ndarray]:
    trunk = causal.base_model
    return capture_clouds(
        trunk, find_blocks(trunk, 3), [1, 2, 3], PROMPTS, pooling="last", batch_size=2, arithmetic=arithmetic
    )[0]


def error(clouds: dict[str, np.ndarray], reference: dict[str, np.ndarray]) -> float:
    """Largest difference, relative to the largest activation of the layer."""
    return max(float(np.abs(clouds[n] - cloud).max() / np.abs(cloud).max()) for n, cloud in reference.items())


@pytest.mark.parametrize("family", FAMILIES)
def test_float32_over_bfloat16_weights_is_that_of_upcast_weights(family: str) -> None:
    torch.manual_seed(0)
    causal = AutoModelForCausalLM.from_config(FAMILIES[family]).to(torch.bfloat16)
    if family != "mixtral":  # whose experts LoRA does not adapt
        lora = LoraConfig(
            r=2, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False,
            fan_in_fan_out=family == "gpt2",
        )  # fmt: skip
        causal = get_peft_model(causal, lora).base_model.model
    reference = capture(copy.deepcopy(causal).float())
    before = {name: (id(p), p.dtype) for name, p in causal.named_parameters()}
    assert error(capture(causal), reference) == 0
    assert error(capture(causal, "bfloat16"), reference) > 1e-4, "else there would be nothing to avoid"
    assert {name: (id(p), p.dtype) for name, p in causal.named_parameters()} == before


def test_a_pass_that_fails_leaves_the_weights_as_they_were() -> None:
    causal = AutoModelForCausalLM.from_config(FAMILIES["llama"]).to(torch.bfloat16)
    before = {name: (id(p), p.dtype) for name, p in causal.named_parameters()}
    handle = causal.base_model.layers[1].mlp.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        capture(causal)
    handle.remove()
    assert {name: (id(p), p.dtype) for name, p in causal.named_parameters()} == before
    assert error(capture(causal), capture(copy.deepcopy(causal).float())) == 0


def test_one_block_at_a_time_is_float32() -> None:
    causal = AutoModelForCausalLM.from_config(FAMILIES["llama"]).to(torch.bfloat16)
    seen: list[int] = []
    layers = causal.base_model.layers
    upcast = lambda *_: seen.append(sum(layer.mlp.up_proj.weight.dtype == torch.float32 for layer in layers))  # noqa: E731
    handles = [layer.mlp.register_forward_pre_hook(upcast) for layer in layers]
    capture(causal)
    assert set(seen) == {1}
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize(("precision", "arithmetic"), [("auto", "float32"), ("float32", "float32"), ("bfloat16",) * 2])
def test_a_cpu_reads_in_float32_unless_it_is_asked_not_to(precision: str, arithmetic: str) -> None:
    assert choose_arithmetic(precision, torch.device("cpu")) == arithmetic


def test_a_device_without_tf32_refuses_it() -> None:
    with pytest.raises(ValueError, match="no TF32"):
        choose_arithmetic("tf32", torch.device("cpu"))
