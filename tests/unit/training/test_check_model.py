"""Folders that are not what they should be are refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, BertConfig, BertLMHeadModel

from src.assets import ASSETS
from src.config import ModelConfig, RequestError
from src.training.check_model import check_network
from src.training.loading import load_tokenizer
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


@pytest.mark.parametrize(("dtype", "kind"), [(torch.int8, "I8"), (torch.bool, "BOOL")], ids=str)
def test_numbers_that_are_no_weights_are_named(folder: Path, dtype: torch.dtype, kind: str) -> None:
    weights, file = edit_weights(folder)
    name = "model.layers.1.mlp.up_proj.weight"
    save_file(weights | {name: weights[name].to(dtype)}, file, metadata={"format": "pt"})
    with pytest.raises(RequestError, match=rf"model\.safetensors holds {name} as {kind}, no real numbers"):
        load(folder)


def test_weights_that_were_not_written_to_the_end_are_told(folder: Path) -> None:
    weights, file = edit_weights(folder)
    last = {name: torch.zeros_like(tensor) if "layers.5" in name else tensor for name, tensor in weights.items()}
    save_file(last, file, metadata={"format": "pt"})
    with pytest.raises(RequestError, match="every matrix of its block 6 is zero"):
        load(folder)
    ones = {name: torch.full_like(tensor, 1e-3) for name, tensor in weights.items()}
    save_file(ones, file, metadata={"format": "pt"})
    with pytest.raises(RequestError, match="predicts the same whatever the text is"):
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
    BertLMHeadModel(BertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(RequestError, match="attends to later tokens"):
        load(tmp_path)
