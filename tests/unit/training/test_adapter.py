"""An adapter that training goes on from, and what is trained in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from src.assets import ASSETS
from src.config import RequestError
from src.config.adapter import CONFIG, WEIGHTS
from src.training.adapter import describe_training
from src.training.model import save_adapter
from tests.support.families import make_family
from tests.support.networks import PROMPTS, make_adapter, make_network

TINY = "embedded:tiny"
SETTINGS = {"r": 4, "lora_alpha": 12, "target_modules": ["q_proj", "down_proj"], "task_type": "CAUSAL_LM"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that another program made."""
    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(ASSETS / "tiny")
    get_peft_model(base, LoraConfig(**SETTINGS, init_lora_weights=False)).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "adapter"))


def test_it_begins_with_the_stored_weights_and_trains_all_of_them(folder: Path, tmp_path: Path) -> None:
    network = make_network(TINY, resume=str(folder))
    trained = {name for name, tensor in network.model.named_parameters() if tensor.requires_grad}
    assert len(trained) == 2 * 2 * len(network.blocks)
    assert network.model.training
    stored = load_file(folder / WEIGHTS)
    for name, tensor in network.model.named_parameters():
        assert (name in trained) == ("lora_" in name)
        if name in trained:
            assert torch.equal(tensor, stored[name.replace(".default", "")])
            assert tensor.dtype == torch.float32
    base = make_network(TINY)
    ids = torch.tensor([PROMPTS[1]])
    with torch.inference_mode():
        assert not torch.allclose(network.causal(input_ids=ids).logits, base.causal(input_ids=ids).logits)
    save_adapter(network, tmp_path / "saved")
    again = load_file(tmp_path / "saved" / WEIGHTS)
    assert again.keys() == stored.keys()
    assert all(torch.equal(again[name], stored[name]) for name in stored)


def test_the_seed_draws_nothing_of_it(folder: Path) -> None:
    network = make_network(TINY, resume=str(folder), dropout=0.5)
    again = load_file(folder / WEIGHTS)
    tensors = {n.replace(".default", ""): p for n, p in network.model.named_parameters() if p.requires_grad}
    assert all(torch.equal(tensors[name], tensor) for name, tensor in again.items())
    dropouts = {part.p for name, part in network.model.named_modules() if isinstance(part, torch.nn.Dropout)}
    assert 0.5 in dropouts


def test_it_must_fit_the_model(folder: Path, tmp_path: Path) -> None:
    other = make_family("llama", tmp_path / "other")
    with pytest.raises(
        RequestError, match=r"does not fit model\.path .* give the model that it was trained on \(.*tiny"
    ):
        make_network(str(other), resume=str(folder))
    further = make_family("gpt2", tmp_path / "further")
    with pytest.raises(RequestError, match=r"adapter\.resume=.*: does not fit model\.path"):
        make_network(str(further), resume=str(folder))


def change(folder: Path, **tensors: torch.Tensor | None) -> None:
    weights = {k: v for k, v in (load_file(folder / WEIGHTS) | tensors).items() if v is not None}
    save_file(weights, folder / WEIGHTS)


def test_weights_that_are_missing_further_or_not_finite_are_named(folder: Path) -> None:
    name, tensor = next(iter(load_file(folder / WEIGHTS).items()))
    change(folder, **{name: None})
    with pytest.raises(RequestError, match=r"its weights lack \S+layers\.0\S+lora_"):
        make_network(TINY, resume=str(folder))
    change(folder, **{name: tensor * torch.nan})
    with pytest.raises(RequestError, match=r"its weight \S+ is not finite"):
        make_network(TINY, resume=str(folder))
    change(folder, **{name: tensor, name.replace("layers.0", "layers.9"): tensor.clone()})
    with pytest.raises(RequestError, match=r"has no place for \S+layers\.9"):
        make_network(TINY, resume=str(folder))


def test_weights_of_the_model_itself_do_not_slip_in(folder: Path) -> None:
    embedding = make_network(TINY).causal.get_input_embeddings().weight.detach()
    change(folder, **{"base_model.model.model.embed_tokens.weight": embedding * 2})
    with pytest.raises(RequestError, match="weights of the model itself"):
        make_network(TINY, resume=str(folder))


@pytest.mark.parametrize("content", [b"", b"\x10", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_damaged_file_is_named(folder: Path, content: bytes) -> None:
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(RequestError, match=r"adapter\.resume=.*: adapter_model\.safetensors is (damaged|a git-lfs)"):
        make_network(TINY, resume=str(folder))


def test_settings_that_peft_cannot_use_are_one_message(folder: Path) -> None:
    stored = json.loads((folder / CONFIG).read_text())
    for changed in ({"target_modules": ["nowhere"]}, {"target_modules": 3}, {"bias": "some"}):
        (folder / CONFIG).write_text(json.dumps(stored | changed))
        with pytest.raises(RequestError, match=r"adapter\.resume=.*: (does not fit|the model has no place)"):
            make_network(TINY, resume=str(folder))


def test_what_is_trained_is_told(folder: Path) -> None:
    words = describe_training(make_network(TINY, targets=["q_proj"]), make_adapter(targets=["q_proj"]))
    assert words.startswith("LoRA rank 8 on 1 kind(s) of layers (q_proj), 6 modules, ")
    assert words.endswith("frozen: embed_tokens, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, lm_head") or (
        words.endswith("frozen: embed_tokens, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj")
    )
    adapter = make_adapter(resume=str(folder))
    resumed = describe_training(make_network(TINY, resume=str(folder)), adapter)
    assert resumed.startswith(f"LoRA goes on from {folder}, step 0 is the model with it; rank 4 on 2 kind(s) of layers")
    assert describe_training(make_network(TINY, kind="full"), make_adapter(kind="full")).startswith("every weight")
