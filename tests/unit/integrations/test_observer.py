"""What an observer refuses before anything is written, and what it takes for the model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.version import VersionBase
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from src.integrations import TopologyObserver
from src.integrations.observer import network_of
from tests.support.series import PROMPTS, TINY

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(TINY)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(TINY)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"total_steps": 0}, "total_steps=0: give the number of optimizer steps"),
        ({"total_steps": 10, "tda": "vietoris"}, "tda=vietoris: unknown"),
        ({"total_steps": 10, "tda": "none"}, "tda=none: measures nothing"),
        ({"total_steps": 10, "steps": [0, 20]}, "schedule.steps=[0, 20]: must lie from 0 to 8"),
        ({"total_steps": 10, "config": {"tda": {"pints": 3}}}, "pints"),
        ({"total_steps": 10, "config": {"tda.points": 2}}, "tda.points=2: must be at least 3"),
        ({"total_steps": 10, "probes": []}, "probe.size=0"),
        ({"total_steps": 10, "probes": ["Hello.", ""]}, "probes: give a list of prompts that are not empty"),
        ({"total_steps": 10, "probes": "gone.txt"}, "probe.file=gone.txt: no such file"),
        ({"total_steps": 10, "model": "a/b"}, "model.name=a/b"),
        ({"total_steps": 10, "run": "../elsewhere"}, "run=../elsewhere: must be a name"),
        ({"total_steps": 10, "run": "/tmp/elsewhere"}, "run=/tmp/elsewhere: must be a name"),
    ],
)
def test_a_wrong_setting_is_one_message(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, place: Path, given: dict, named: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        TopologyObserver(tokenizer, **({"probes": PROMPTS} | given)).observe(model, 0)
    assert not list(place.glob("multirun/*/*/*")), "nothing is begun"


def test_a_later_step_needs_the_run_of_the_first_start(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(ValueError, match="training goes on from step 3; give the name of the run"):
        TopologyObserver(tokenizer, 10, probes=PROMPTS).observe(model, 3)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"run": "mine", "config": {"force": True}}, "force=True: starts over, and training goes on from step 3"),
        ({"run": "mien"}, "mien holds no run; training goes on from step 3"),
    ],
)
def test_a_refused_resume_changes_nothing(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, place: Path, given: dict, named: str
) -> None:
    mine = place / "multirun" / "tiny" / "none" / "vietoris_rips" / "mine"
    mine.mkdir(parents=True)
    (mine / "config.yaml").write_text("as it was")
    with pytest.raises(ValueError, match=re.escape(named)):
        TopologyObserver(tokenizer, 10, probes=PROMPTS, **given).observe(model, 3)
    assert [path for path in place.glob("multirun/tiny/**/*") if path.is_file()] == [mine / "config.yaml"]
    assert [path.name for path in mine.parent.iterdir()] == ["mine"]
    assert (mine / "config.yaml").read_text() == "as it was"


def test_a_script_that_hydra_started_keeps_its_own(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, place: Path
) -> None:
    (place / "own").mkdir()
    (place / "own" / "config.yaml").write_text("mine: 1\n")
    with initialize_config_dir(str(place / "own"), version_base="1.2"):
        outer, version = GlobalHydra.instance().hydra, VersionBase.instance().getbase()
        with pytest.raises(ValueError, match="training goes on from step 3"):  # as far as choosing a directory
            TopologyObserver(tokenizer, 10, probes=PROMPTS).observe(model, 3)
        assert GlobalHydra.instance().hydra is outer
        assert VersionBase.instance().getbase() == version
        assert compose("config").mine == 1


def test_what_wraps_the_model_is_taken_off(model: PreTrainedModel) -> None:
    assert network_of(torch.nn.DataParallel(model)).causal is model
    lora = get_peft_model(AutoModelForCausalLM.from_pretrained(TINY), LoraConfig(target_modules=["q_proj"]))
    assert network_of(lora).causal is lora.get_base_model()
    with pytest.raises(ValueError, match="model is a Linear; give the model of transformers or PEFT"):
        network_of(torch.nn.Linear(2, 2))
