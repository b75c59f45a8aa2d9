"""Encoders, of texts or of images, are told by their config.json; what may be a language model is let through."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import BertConfig, CLIPConfig, GPT2Config, LlamaConfig, PreTrainedConfig, T5Config, ViTConfig

from src.config import RequestError
from src.training.encoders import refuse_encoder


def save(folder: Path, config: PreTrainedConfig, *classes: str) -> str:
    config.architectures = list(classes) or None
    config.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (BertConfig(), "BertModel"),
        (BertConfig(), "BertForMaskedLM"),
        (BertConfig(), "BertForSequenceClassification"),
        (ViTConfig(), "ViTForImageClassification"),
        (CLIPConfig(), "CLIPModel"),
        (T5Config(), "T5EncoderModel"),
    ],
)
def test_an_encoder_is_told_what_measures_it(tmp_path: Path, config: PreTrainedConfig, name: str) -> None:
    path = save(tmp_path, config, name)
    with pytest.raises(RequestError) as refused:
        refuse_encoder(path)
    assert str(refused.value).startswith(f"model.path={path}: is a {name}, no causal language model")
    assert "src.track_arrays({step: {layer: array}})" in str(refused.value)


@pytest.mark.parametrize(
    ("config", "classes"),
    [
        (LlamaConfig(), ["LlamaForCausalLM"]),
        (LlamaConfig(), ["LlamaModel"]),
        (GPT2Config(), []),
        (BertConfig(), ["BertLMHeadModel"]),
        (BertConfig(is_decoder=True), ["BertModel"]),
        (BertConfig(), []),
    ],
)
def test_what_may_be_a_language_model_is_let_through(
    tmp_path: Path, config: PreTrainedConfig, classes: list[str]
) -> None:
    refuse_encoder(save(tmp_path, config, *classes))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"model_type": "unheard_of"}', '{"model_type": 3}'])
def test_what_cannot_be_read_is_left_to_what_loads_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    refuse_encoder(str(tmp_path))
    refuse_encoder(str(tmp_path / "gone"))
    refuse_encoder("nobody/has-cached-this")
