"""Each family of the shipped models, built from its own configuration with tiny random dimensions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    Qwen2Config,
)

from src.assets import ASSETS
from src.clouds.capture import capture_clouds
from src.clouds.layers import choose_layers
from src.config import AdapterConfig, ModelConfig, TrainerConfig
from src.data.batches import collate
from src.data.dialogues import Dialogue, Turn
from src.data.rendering import IGNORED, Example, encode_dialogue
from src.training.model import load_network, load_tokenizer, save_adapter
from src.training.module import summed_loss

SIZES = {
    "vocab_size": 1024, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "max_position_embeddings": 128, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 1,
}  # fmt: skip
FAMILIES = {
    "llama": LlamaConfig(**SIZES, num_key_value_heads=2),
    "mistral": MistralConfig(**SIZES, num_key_value_heads=2, sliding_window=None),
    "gpt_neox": GPTNeoXConfig(**SIZES),
    "qwen2": Qwen2Config(**SIZES, num_key_value_heads=2),
    "olmo2": Olmo2Config(**SIZES, num_key_value_heads=2),
}
PROMPTS = [[5, 6, 7], [9, 10, 11, 12, 13], [8, 4]]


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(FAMILIES[request.param]).save_pretrained(path)
    AutoTokenizer.from_pretrained(ASSETS / "tiny").save_pretrained(path)
    return path


def load(folder: Path, *, checkpointing: bool = False, kind: str = "lora"):
    model = ModelConfig(name="m", path=str(folder), stage="pretrained")
    trainer = TrainerConfig(precision="float32", gradient_checkpointing=checkpointing)
    return load_network(model, AdapterConfig(kind=kind), trainer, seed=0)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_lora_reaches_every_linear_map_of_every_block(folder: Path, checkpointing: bool) -> None:
    network = load(folder, checkpointing=checkpointing)
    summed_loss(network.causal, collate([Example([5, 6, 7, 8], [IGNORED, 6, 7, 8])], pad=1)).backward()
    linear = [
        name for name, part in network.blocks.named_modules()
        if isinstance(part, torch.nn.Linear) and "lora" not in name
    ]  # fmt: skip
    moved = {n.partition(".lora_B")[0] for n, p in network.blocks.named_parameters() if "lora_B" in n and p.grad.any()}
    assert {name.removesuffix(".base_layer") for name in linear} == moved
    assert all(p.grad is None for n, p in network.model.named_parameters() if "lora_" not in n)


def test_clouds_are_the_hidden_states(folder: Path) -> None:
    network = load(folder)
    clouds, _ = capture_clouds(network.trunk, network.blocks, choose_layers(3), PROMPTS, pooling="last", batch_size=2)
    network.causal.eval()
    for row, prompt in enumerate(PROMPTS):
        with torch.inference_mode():
            states = network.causal(input_ids=torch.tensor([prompt]), output_hidden_states=True).hidden_states
        for layer, cloud in enumerate(clouds.values(), start=1):
            assert np.allclose(cloud[row], states[layer][0, -1].numpy(), rtol=1e-4, atol=1e-5)


def test_the_loss_is_the_models_own(folder: Path) -> None:
    causal = load(folder, kind="full").causal.eval()
    example = Example([5, 6, 7, 8, 9], [IGNORED, IGNORED, 7, 8, IGNORED])
    with torch.inference_mode():
        expected = causal(input_ids=torch.tensor([example.ids]), labels=torch.tensor([example.labels])).loss
        ours = summed_loss(causal, collate([example], pad=1))
    assert float(ours) == pytest.approx(2 * float(expected), rel=1e-5)


def test_the_chat_template_trains(folder: Path) -> None:
    tokenizer = load_tokenizer(ModelConfig(name="m", path=str(folder), stage="instruct"))
    dialogue = Dialogue((Turn("user", "Hi"),), "Hello.", "No.")
    example = encode_dialogue(dialogue, "chat", "last", tokenizer, 128)
    assert tokenizer.decode([label for label in example.labels if label != IGNORED]) == "Hello.<|end|>"
    assert torch.isfinite(summed_loss(load(folder).causal, collate([example], pad=1))).all()


def test_the_saved_adapter_is_the_one_that_was_trained(folder: Path, tmp_path: Path) -> None:
    network = load(folder)
    with torch.no_grad():
        for name, parameter in network.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(generator=torch.Generator().manual_seed(len(name)))
    save_adapter(network, tmp_path)
    again = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), tmp_path).eval()
    network.model.eval()
    with torch.inference_mode():
        ids = torch.tensor([PROMPTS[1]])
        assert torch.equal(again(input_ids=ids).logits, network.model(input_ids=ids).logits)
