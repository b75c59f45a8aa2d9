"""Each family of models, built from its own configuration with tiny random dimensions."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from src.clouds.capture import capture_clouds, eval_mode
from src.clouds.layers import choose_layers
from src.clouds.store import read_clouds
from src.config import ModelConfig, RequestError, TrainerConfig
from src.data.batches import collate, pack
from src.data.dialogues import Dialogue, Turn
from src.data.rendering import IGNORED, Example, encode_dialogue
from src.training.adapter import describe_training
from src.training.behaviour import BASE, write_base_logprobs
from src.training.check_model import check_network
from src.training.check_packing import describe_rows, try_packing
from src.training.loading import load_tokenizer
from src.training.loss import summed_loss
from src.training.model import load_network, save_adapter
from src.training.network import Network
from src.training.rehearsal import rehearse
from tests.support.families import FAMILIES, ODD, make_family
from tests.support.networks import make_adapter

PROMPTS = [[5, 6, 7], [9, 10, 11, 12, 13], [8, 4]]
LONG = Example(list(range(5, 45)), [IGNORED] * 5 + list(range(10, 45)))
UNCHECKPOINTED = {"gpt1"}
PADDED = {"falcon", "bloom", "mamba", "falcon_h1", "gpt1", "jamba", "gptj", "gpt_neo", "llama4"}
"""Their attention or state goes on where a dialogue ends, is not told where that is, or cannot be replaced."""
NO_EMBEDDING = {"mamba"}
"""Their `hidden_states` begin with the first block."""
EXPERTS = ["gate", "experts.gate_up_proj", "experts.down_proj"]
FROZEN = {
    "mixtral": EXPERTS, "olmoe": EXPERTS, "falcon_h1": ["conv1d", "out_proj"],
    "mamba": ["mixer.A_log", "conv1d", "x_proj", "dt_proj", "out_proj"],
    "llama4": ["experts.gate_up_proj", "experts.down_proj", "router"], "gemma3_seeing": ["vision_tower"],
    "deepseek_v2": ["gate_proj", "up_proj", "down_proj", *EXPERTS], "dbrx": ["layer"],
    "jamba": ["x_proj", "dt_proj", "out_proj", "router"],
}  # fmt: skip
"""What LoRA leaves as it is beside embeddings and head: the README of src/training says why."""


@pytest.fixture(scope="module", params=[*FAMILIES, *ODD])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_family(request.param, tmp_path_factory.mktemp("family") / request.param)


def load(folder: Path, *, checkpointing: bool = False, **adapter: object) -> Network:
    model = ModelConfig(name="m", path=str(folder), stage="pretrained")
    trainer = TrainerConfig(precision="float32", gradient_checkpointing=checkpointing)
    return load_network(model, make_adapter(**adapter), trainer, seed=0)


def fill(network: Network) -> None:
    """An adapter as training leaves it: its second factor is no longer zero."""
    with torch.no_grad():
        for name, parameter in network.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1, generator=torch.Generator().manual_seed(len(name)))


@pytest.fixture(scope="module")
def network(folder: Path) -> Network:
    """With an adapter, for all who only look."""
    loaded = load(folder)
    fill(loaded)
    return loaded


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_gradient_reaches_every_tensor_of_the_adapter_and_no_other(folder: Path, checkpointing: bool) -> None:
    if checkpointing and folder.name in UNCHECKPOINTED:
        with pytest.raises(RequestError, match=r"trainer\.gradient_checkpointing=true: \w+ cannot do that"):
            load(folder, checkpointing=True)
        return
    network = load(folder, checkpointing=checkpointing)
    fill(network)
    summed_loss(network.causal, collate([LONG], pad=1)).backward()
    for name, tensor in network.model.named_parameters():
        assert (tensor.grad is not None and bool(tensor.grad.any())) == ("lora_" in name), name


def test_it_is_told_what_is_adapted_and_what_is_not(folder: Path, network: Network) -> None:
    words = describe_training(network, make_adapter())
    frozen = words.partition("frozen: ")[2].split(", ")
    assert set(FROZEN.get(folder.name, [])) <= set(frozen)
    # What is in no such list has an adapter: every other matrix of the blocks.
    if folder.name not in FROZEN:
        linear = [n for n, p in network.blocks.named_parameters() if p.ndim > 1 and "lora_" not in n]
        assert all(name.endswith("base_layer.weight") for name in linear)


def test_dropout_makes_no_difference_to_what_is_adapted(folder: Path, network: Network) -> None:
    if folder.name in FROZEN:
        dropped = load(folder, dropout=0.1)
        assert torch.isfinite(summed_loss(dropped.causal, collate([LONG], pad=1)))
        adapter = make_adapter()
        assert describe_training(dropped, adapter) == describe_training(network, adapter)


def test_clouds_are_the_hidden_states(folder: Path, network: Network) -> None:
    clouds, _ = capture_clouds(network.trunk, network.blocks, choose_layers(3), PROMPTS, pooling="last", batch_size=2)
    for row, prompt in enumerate(PROMPTS):
        with eval_mode(network.causal), torch.inference_mode():
            states = network.causal(input_ids=torch.tensor([prompt]), output_hidden_states=True).hidden_states
        shift = 1 if folder.name in NO_EMBEDDING else 0
        for layer, cloud in enumerate(clouds.values(), start=1):
            state = states[-1] if layer == 3 else states[layer - shift]
            assert np.allclose(cloud[row], state[0, -1].numpy(), rtol=1e-4, atol=1e-5)


def test_the_loss_is_the_models_own(folder: Path) -> None:
    causal = load(folder, kind="full").causal.eval()
    example = Example([5, 6, 7, 8, 9], [IGNORED, IGNORED, 7, 8, IGNORED])
    with torch.inference_mode():
        expected = causal(input_ids=torch.tensor([example.ids]), labels=torch.tensor([example.labels])).loss
        ours = summed_loss(causal, collate([example], pad=1))
    assert float(ours) == pytest.approx(2 * float(expected), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_one_row_gives_the_loss_and_the_gradient_of_padded_rows(folder: Path, dtype: torch.dtype) -> None:
    network = load(folder, checkpointing=folder.name not in UNCHECKPOINTED)
    fill(network)
    for parameter in network.model.parameters():
        parameter.data = parameter.data if parameter.requires_grad else parameter.data.to(dtype)
    for part in network.causal.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0  # that of the family itself
        if isinstance(vars(part).get("dropout"), float):
            part.dropout = 0.0
    network = try_packing(network)
    assert network.packed == (folder.name not in PADDED), describe_rows(network)
    if not network.packed:
        return
    examples = [LONG, Example([7, 5, 9, 30], [IGNORED, 5, 9, 30]), Example([8, 9, 6], [IGNORED, IGNORED, 6])]
    found = []
    for batch in (collate(examples, pad=1), pack(examples, pad=1, multiple=64)):
        network.model.zero_grad()
        loss = summed_loss(network.causal, batch)
        loss.backward()
        gradients = [p.grad.flatten() for p in network.model.parameters() if p.grad is not None]
        found.append((float(loss.detach()), torch.cat(gradients)))
    (padded, before), (packed, after) = found
    tolerance = {torch.float32: 1e-4, torch.bfloat16: 5e-2}[dtype]
    assert packed == pytest.approx(padded, rel=tolerance / 10)
    assert float((after - before).norm() / before.norm()) < tolerance


def test_the_next_token_is_the_models_own(network: Network, tmp_path: Path) -> None:
    _, ends = capture_clouds(network.trunk, network.blocks, [], PROMPTS, pooling="last", batch_size=2)
    write_base_logprobs(tmp_path / "base.safetensors", network.causal, ends, "x")
    with eval_mode(network.causal), torch.inference_mode():
        logits = [network.causal(input_ids=torch.tensor([prompt])).logits[0, -1] for prompt in PROMPTS]
    direct = torch.stack(logits).float().log_softmax(-1)
    assert np.allclose(read_clouds(tmp_path / "base.safetensors")[BASE], direct, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_it_is_a_language_model(folder: Path, network: Network, dtype: torch.dtype) -> None:
    tokenizer = load_tokenizer(ModelConfig(name="m", path=str(folder), stage="pretrained"))
    causal = deepcopy(network.causal).to(dtype)
    check_network("here", causal, tokenizer)
    rehearse("here", Network(network.model, causal), make_adapter())


def test_the_chat_template_trains(folder: Path, network: Network) -> None:
    tokenizer = load_tokenizer(ModelConfig(name="m", path=str(folder), stage="instruct"))
    dialogue = Dialogue((Turn("user", "Hi"),), "Hello.", "No.")
    example = encode_dialogue(dialogue, "chat", "last", tokenizer, 128)
    assert tokenizer.decode([label for label in example.labels if label != IGNORED]) == "Hello.<|end|>"
    assert torch.isfinite(summed_loss(network.causal, collate([example], pad=1))).all()


def test_the_saved_adapter_is_the_one_that_was_trained_and_goes_on(
    folder: Path, network: Network, tmp_path: Path
) -> None:
    save_adapter(network, tmp_path)
    again = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), tmp_path).eval()
    resumed = load(folder, resume=str(tmp_path)).model.eval()
    with eval_mode(network.causal), torch.inference_mode():
        ids = torch.tensor([PROMPTS[1]])
        expected = network.model(input_ids=ids).logits
        assert torch.equal(again(input_ids=ids).logits, expected)
        assert torch.equal(resumed(input_ids=ids).logits, expected)
