"""Folders that are not what they should be are refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BertConfig, BertForMaskedLM

from src.assets import ASSETS
from src.config import ModelConfig, RequestError
from src.training.check_model import check_network
from src.training.model import load_tokenizer
from tests.support.networks import make_network

TINY = ASSETS / "tiny"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "model"))


def load(folder: Path) -> None:
    """What a run does before anything is written."""
    network = make_network(str(folder))
    tokenizer = load_tokenizer(ModelConfig(name="m", path=str(folder), stage="pretrained"))
    check_network(str(folder), network.causal, tokenizer)


def edit_weights(folder: Path) -> tuple[dict[str, torch.Tensor], Path]:
    file = folder / "model.safetensors"
    return load_file(file), file


def test_the_embedded_model_is_sound(folder: Path) -> None:
    load(folder)


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(TINY)
    get_peft_model(base, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(TINY).save_pretrained(tmp_path)
    with pytest.raises(RequestError, match="is an adapter, not a model; merge it"):
        load(tmp_path)


def test_weights_that_are_missing_further_or_of_another_shape_are_named(folder: Path) -> None:
    weights, file = edit_weights(folder)
    lacking = {name: tensor for name, tensor in weights.items() if "layers.0.mlp.down_proj" not in name}
    save_file(lacking, file, metadata={"format": "pt"})
    with pytest.raises(RequestError, match=r"its weights lack \S*layers\.0\.mlp\.down_proj\.weight"):
        load(folder)
    save_file(weights | {f"model.odd.{n}": torch.zeros(1) for n in range(7)}, file, metadata={"format": "pt"})
    with pytest.raises(RequestError, match=r"have no place for model\.odd\.0, .* and 2 more"):
        load(folder)
    norm = "model.norm.weight"
    save_file(weights | {norm: weights[norm][:-1].clone()}, file, metadata={"format": "pt"})
    with pytest.raises(RequestError, match=r"model\.path="):
        load(folder)


def test_a_weight_that_is_not_finite_is_named(folder: Path) -> None:
    weights, file = edit_weights(folder)
    weights["model.norm.weight"][0] = torch.nan
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(RequestError, match=r"the weight model\.norm\.weight is not finite"):
        load(folder)


def test_more_tokens_than_rows_are_counted(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = json.loads((folder / "config.json").read_text())["vocab_size"]
    tokenizer.add_tokens([f"<new {n}>" for n in range(rows - len(tokenizer) + 5)])
    tokenizer.save_pretrained(folder)
    with pytest.raises(RequestError, match=rf"its tokenizer has {rows + 5} tokens, its embedding {rows} rows"):
        load(folder)


def test_a_model_that_sees_later_tokens_is_none(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
    BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(RequestError, match="attends to later tokens"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1000\n", "git-lfs pointer; .* git lfs pull"),
        (b"", "damaged or cut off|no model can be read"),
    ],
)
def test_weights_that_are_not_there_yet_are_said(folder: Path, content: bytes, message: str) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(RequestError, match=message):
        load(folder)


def test_a_file_that_was_cut_off_is_said(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(RequestError, match="damaged or cut off"):
        load(folder)


def test_a_quantized_folder_without_its_package_is_said(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(RequestError, match=r"model\.path="):
        load(folder)


SMALL = {
    "vocab_size": 1024, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "pad_token_id": 1,
}  # fmt: skip
HEADS = {"num_key_value_heads": 2}
KINDS = {
    "llama": {}, "mistral": HEADS, "qwen2": HEADS, "qwen3": HEADS | {"head_dim": 8}, "gemma2": {"head_dim": 8},
    "phi3": {}, "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4}, "gpt_neox": {}, "falcon": {},
    "bloom": {"n_layer": 2, "n_head": 4}, "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32},
    "mixtral": HEADS | {"num_local_experts": 4}, "mamba": {"state_size": 4, "expand": 2},
}  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_language_models_of_all_kinds_are_sound(kind: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    causal = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **(SMALL | KINDS[kind]))).to(dtype)
    check_network("here", causal, AutoTokenizer.from_pretrained(TINY))
