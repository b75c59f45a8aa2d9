"""Networks without weights: known without the hub, drawn where they are trained, never taken for the model itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from src.assets import ARCHITECTURES, ASSETS
from src.config import Config, ModelConfig, RequestError
from src.config.resolve import resolve_config
from src.pipeline.start import run_tags
from src.rundir.naming import run_name
from src.training.architecture import (
    build_network,
    describe_random,
    draw_weights,
    read_architecture,
    tokenizer_path,
)
from src.training.inputs import load_inputs
from tests.support.builders import composed, directory, options

SHIPPED = [name for name in options("model") if name not in ("local", "tiny", "tiny_instruct")]


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("the hub was asked")

    monkeypatch.setattr("src.training.architecture.require_hub", refuse)


def configured(*words: str) -> Config:
    return resolve_config(composed(*words, "model.weights=random"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_is_known_without_the_hub_and_as_large_as_its_file_says(name: str) -> None:
    model = configured(f"model={name}").model
    architecture = read_architecture(model)
    causal = build_network(architecture, model.path, torch.bfloat16, torch.device("meta"))
    assert sum(p.numel() for p in causal.parameters()) == pytest.approx(model.parameters, rel=0.005)
    assert {p.dtype for p in causal.parameters()} == {torch.bfloat16}
    assert (architecture.hidden_size, architecture.num_hidden_layers) == (model.width, model.blocks)
    assert architecture.vocab_size == model.vocabulary


def test_the_known_architectures_are_those_of_the_shipped_models() -> None:
    known = json.loads(ARCHITECTURES.read_text())
    assert {configured(f"model={name}").model.path for name in SHIPPED} == known.keys()
    assert all(isinstance(known[twin], dict) for twin in known.values() if isinstance(twin, str))


def test_no_name_can_be_taken_for_that_of_the_model() -> None:
    config = configured("model=llama7b")
    assert config.model.name == "llama7b-random"
    assert (config.model.twin, config.objective.dialogues) == (None, "embedded")
    assert run_name(config).startswith("llama7b-random ")
    tags = run_tags(config, "cell", "x")
    assert (tags["model"], tags["stage"], tags["weights"]) == ("llama7b-random", "random", "random")
    real = run_tags(resolve_config(composed("model=llama7b")), "cell", "x")
    assert (real["stage"], real["weights"]) == ("pretrained", "pretrained")
    assert tags["config_hash"] != real["config_hash"]
    assert "llama7b-random" in directory("model=llama7b", "model.weights=random").parts
    assert "RANDOM" in describe_random(config.model)
    assert "embedded:tiny" in describe_random(config.model)


def test_the_stage_random_is_said_by_the_weights_alone() -> None:
    with pytest.raises(RequestError, match=r"model\.stage=random: is what model\.weights=random fills in"):
        resolve_config(composed("model.stage=random"))


def test_a_folder_of_a_description_alone_is_enough_and_brings_its_tokenizer_if_it_has_one(tmp_path: Path) -> None:
    shutil.copy(ASSETS / "tiny" / "config.json", tmp_path)
    words = ("model=local", f"model.path={tmp_path}", "trainer.max_steps=4", "probe.size=24")
    config = configured(*words)
    network = load_inputs(config).network
    assert tokenizer_path(config.model) == "embedded:tiny"
    drawn = dict(network.causal.named_parameters())
    stored = load_file(ASSETS / "tiny" / "model.safetensors")
    assert drawn["model.embed_tokens.weight"].shape == stored["model.embed_tokens.weight"].shape
    assert not torch.allclose(drawn["model.embed_tokens.weight"], stored["model.embed_tokens.weight"].float())
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"], "nothing is written"
    shutil.copy(ASSETS / "tiny" / "tokenizer.json", tmp_path)
    assert tokenizer_path(config.model) == str(tmp_path)
    with pytest.raises(RequestError, match=r"holds no \*\.safetensors"):
        load_inputs(resolve_config(composed(*words, "objective.dialogues=embedded")))


def test_the_weights_are_the_same_each_time_and_later_random_numbers_are_as_without() -> None:
    model = ModelConfig(name="m", path="embedded:tiny", stage="random", weights="random")
    torch.manual_seed(7)
    first = draw_weights(model, torch.float32)
    after = torch.rand(3)
    torch.manual_seed(8)
    second = draw_weights(model, torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    torch.manual_seed(7)
    assert torch.equal(torch.rand(3), after)
    assert {p.dtype for p in draw_weights(model, torch.bfloat16).parameters()} == {torch.bfloat16}


def test_a_model_that_nobody_knows_and_a_description_that_is_impossible_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"model\.path=some/model: its architecture cannot be read \(the hub was"):
        read_architecture(configured("model=local", "model.path=some/model").model)
    described = json.loads((ASSETS / "tiny" / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(described | {"hidden_size": -1}))
    with pytest.raises(RequestError, match=r"config\.json"):
        draw_weights(configured("model=local", f"model.path={tmp_path}").model, torch.float32)
