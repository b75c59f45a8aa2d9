"""Whatever is wrong with a model's folder is one message about `model.path`."""

from __future__ import annotations

import json
import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer, ByT5Tokenizer, T5Config, T5ForConditionalGeneration

from src.assets import ASSETS
from src.config import ModelConfig, RequestError
from src.forecast.disk import model_size
from src.training.check_model import check_blocks, check_network
from src.training.loading import load_tokenizer
from src.training.rehearsal import rehearse
from tests.support.builders import composed, resolve_config
from tests.support.networks import make_adapter, make_network

TINY = ASSETS / "tiny"
CONFIG, WORDS, TOKENIZER = "config.json", "tokenizer_config.json", "tokenizer.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "model"))


def load(folder: Path) -> None:
    """What a run does before anything is written, in its order."""
    model_size(resolve_config(composed("model=local", f"model.path={folder}")))
    tokenizer = load_tokenizer(ModelConfig(name="m", path=str(folder), stage="pretrained"))
    network = make_network(str(folder))
    check_network(str(folder), network.causal, tokenizer)
    rehearse(str(folder), network, make_adapter())


def edit(folder: Path, name: str, **values: Any) -> None:
    described = json.loads((folder / name).read_text()) | values
    (folder / name).write_text(json.dumps({key: value for key, value in described.items() if value != "take away"}))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (CONFIG, {"model_type": "nobody"}, "model type `nobody`"),
        (CONFIG, {"model_type": "take away"}, "model_type"),
        (CONFIG, {"model_type": []}, "unhashable"),
        (CONFIG, {"model_type": "nobody", "auto_map": {"AutoConfig": "own.Own"}}, "defined by code of its own"),
        (CONFIG, {"model_type": "vit"}, "is a vit, no causal language model"),
        (CONFIG, {"hidden_size": "wide"}, "hidden_size"),
        (CONFIG, {"hidden_size": None}, "hidden_size"),
        (CONFIG, {"hidden_size": 64}, r"hold in another shape model\.embed_tokens\.weight"),
        (CONFIG, {"num_hidden_layers": 3}, r"have no place for model\.layers\.3"),
        (CONFIG, {"num_hidden_layers": 7}, r"lack model\.layers\.6"),
        (CONFIG, {"num_hidden_layers": 0}, "have no place for"),
        (CONFIG, {"vocab_size": -1}, "no model can be read"),
        (CONFIG, {"hidden_act": "leap"}, "KeyError: 'leap'"),
        (CONFIG, {"attention_dropout": 3.5}, "cannot compute .*dropout"),
        (CONFIG, {"text_config": None}, ""),
        (CONFIG, {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "needs a package"),
        (CONFIG, {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 32}}, "needs a package"),
        (WORDS, {"eos_token": 3}, "eos_token"),
        (WORDS, {"model_max_length": "long"}, "its tokenizer cannot read a text"),
        (WORDS, {"tokenizer_class": {}}, "no model can be read"),
        (TOKENIZER, {"model": "take away"}, "Model missing"),
        (TOKENIZER, {"added_tokens": None}, "NoneType"),
    ],
)
def test_a_description_that_cannot_be_is_one_message(
    folder: Path, name: str, values: dict[str, Any], message: str
) -> None:
    edit(folder, name, **values)
    if not message:
        load(folder)  # of no consequence
        return
    with pytest.raises(RequestError, match=rf"^model\.path=\S+model: .*{message}"):
        load(folder)


def test_a_flipped_bit_is_refused_or_of_no_consequence(folder: Path) -> None:
    draw = random.Random(0)
    for name in (CONFIG, WORDS, TOKENIZER, "generation_config.json", "model.safetensors"):
        whole = (TINY / name).read_bytes()
        for _ in range(4):
            damaged = bytearray(whole)
            damaged[draw.randrange(min(len(damaged), 4000))] ^= 1 << draw.randrange(8)
            (folder / name).write_bytes(bytes(damaged))
            with suppress(RequestError):  # anything else is what a user would see as a failed run
                load(folder)
        (folder / name).write_bytes(whole)


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_named(folder: Path, share: float) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(RequestError, match="its weights are damaged or cut off"):
        load(folder)


def test_no_word_of_transformers_stands_beside_the_message(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(folder, CONFIG, hidden_size=64)
    with pytest.raises(RequestError):
        make_network(str(folder))
    assert "REPORT" not in "".join(capfd.readouterr())


def test_a_tokenizer_without_places_of_its_tokens_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """One of Python alone: it does not say where in a text its tokens are."""
    for name in (CONFIG, "model.safetensors"):
        shutil.copy(TINY / name, tmp_path)
    ByT5Tokenizer().save_pretrained(tmp_path)
    with pytest.raises(RequestError, match=r"which characters a token stands for.*fast version"):
        load_tokenizer(ModelConfig(name="m", path=str(tmp_path), stage="pretrained"))


def test_a_tokenizer_that_is_another_than_its_file_is_warned_of(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    model = ModelConfig(name="m", path=str(folder), stage="pretrained")
    load_tokenizer(model)
    assert not caplog.records
    edit(folder, WORDS, tokenizer_class="Qwen2Tokenizer")
    load_tokenizer(model)
    [text] = [record.getMessage() for record in caplog.records]
    assert "tokenizer_class=Qwen2Tokenizer" in text
    assert "tokenizer.json" in text


def test_a_model_of_two_halves_is_no_language_model(tmp_path: Path) -> None:
    config = T5Config(vocab_size=1024, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(TINY).save_pretrained(tmp_path)
    with pytest.raises(RequestError, match="is a T5ForConditionalGeneration, no causal language model"):
        load(tmp_path)


def test_a_model_without_a_list_of_blocks_is_refused(folder: Path) -> None:
    causal = AutoModelForCausalLM.from_pretrained(folder)
    causal.config.num_hidden_layers = 4
    with pytest.raises(RequestError, match=r"^model\.path=here: LlamaModel has no list of 4 blocks"):
        check_blocks("here", causal)
