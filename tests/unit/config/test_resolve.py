"""Every shipped option composes; what is missing is filled in, and what is wrong is said at once."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from src.config import RequestError
from src.config.resolve import complete_config, resolve_config
from src.config.track import UNTRAINED
from tests.support.builders import composed, options
from tests.support.giotto import HAS_GIOTTO, WITHOUT_GIOTTO

NEEDED = {
    "local": ["model.path=somewhere"],
    "list": ["schedule.steps=[0,1]"],
    "study_real": ["model.path=somewhere"],
    "study_smollm": ["model.path=somewhere"],
}
"""What an option does not bring along."""


def methods() -> list[str]:
    return [name for name in options("tda") if HAS_GIOTTO or name in ("none", *WITHOUT_GIOTTO)]


@pytest.mark.parametrize("group", ["model", "objective", "tda"])
def test_every_model_objective_and_method_composes_and_sets_nothing_beyond_its_group(group: str) -> None:
    """So all their combinations compose: an option is read the same beside any option of the other groups."""
    default = OmegaConf.to_container(composed())
    for option in methods() if group == "tda" else options(group):
        found = composed(f"{group}={option}", *NEEDED.get(option, []))
        assert OmegaConf.to_container(found) | {group: default[group]} == default
        # A run has an objective; `none` is of checkpoints that somebody else trained.
        is_run = (group, option) != ("objective", UNTRAINED)
        config = resolve_config(found) if is_run else complete_config(found)
        assert getattr(config, group).name == option
        assert config.model.stage in ("pretrained", "instruct")


@pytest.fixture(scope="module")
def of_each_draws() -> list[str]:
    """A model for each number of draws that there is."""
    by_draws = {composed(f"model={model}", *NEEDED.get(model, [])).model.draws: model for model in options("model")}
    return list(by_draws.values())


@pytest.mark.parametrize("tda", methods())
def test_every_method_bears_the_draws_of_every_model(tda: str, of_each_draws: list[str]) -> None:
    """The one thing that a method takes from the model."""
    for model in of_each_draws:
        found = composed(f"model={model}", f"tda={tda}", *NEEDED.get(model, []))
        config = resolve_config(found)
        for key in ("subsamples", "null_draws"):
            own = found.tda[key]  # some have none, whatever the model says
            assert getattr(config.tda, key) == (config.model.draws if own is None else own)


@pytest.mark.parametrize("group", ["schedule", "adapter", "probe", "trainer", "tracking", "experiment"])
def test_every_option_of_the_other_groups_composes(group: str) -> None:
    for option in options(group):
        resolve_config(composed(f"{group}={option}", *NEEDED.get(option, [])))


def test_dialogues_come_from_where_the_model_says_unless_a_folder_is_given(tmp_path: Path) -> None:
    assert resolve_config(composed()).objective.dialogues == "embedded"
    assert resolve_config(composed("model=llama7b")).objective.dialogues == "hh_rlhf"
    assert resolve_config(composed(f"objective.data_dir={tmp_path}")).objective.dialogues == "hh_rlhf"


@pytest.mark.parametrize("key", ["model.path", "objective.data_dir", "probe.file", "adapter.resume"])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "must be a path, not empty"), ("  ", "must be a path, not empty"), ("a\nb", "without control characters"),
        ("a\0b", "without control characters"), ("/" + "x" * 256, "each part of it at most 255"),
        ("/é" * 2000, "a path of at most 4,096 bytes"), ("~nobody/x", "no such f"), ("/nowhere", "no such f"),
    ],
)  # fmt: skip
def test_a_path_that_no_disk_can_hold_is_named(key: str, path: str, message: str) -> None:
    request = composed()
    OmegaConf.update(request, key, path)
    with pytest.raises(RequestError, match=rf"(?s){re.escape(key)}=.*: .*{message}") as refused:
        resolve_config(request)
    assert max(map(len, str(refused.value).splitlines())) < 1100


@pytest.mark.parametrize(
    "path", ["https://huggingface.co/gpt2", "hf://gpt2", "C:\\models", "a/b/c", "owner/", "ö/x", "a b"]
)
def test_what_is_no_folder_and_no_id_of_the_hub_is_told_before_the_hub_is_asked(path: str) -> None:
    request = composed("model=local", "model.path=x")
    OmegaConf.update(request, "model.path", path)
    if path == "owner/":
        assert resolve_config(request).model.path == path
        return
    with pytest.raises(RequestError, match="no such folder, and no id of the hub, which is <owner>/<name>"):
        resolve_config(request)


def test_no_limit_may_be_said_where_there_is_none() -> None:
    config = resolve_config(composed("trainer.clip=inf", "tracking.patience=inf"))
    assert config.trainer.clip == config.tracking.patience == math.inf


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(RequestError) as caught:
        resolve_config(composed("trainer.max_steps=-3", "probe.size=7", "adapter.rank=0", "objective.held_out=nan"))
    message = str(caught.value)
    for problem in ("trainer.max_steps=-3", "probe.size=7", "adapter.rank=0", "objective.held_out=nan"):
        assert problem in message


@pytest.mark.parametrize("key", ["model.name", "objective.name", "tda.name", "sweep"])
@pytest.mark.parametrize(
    "name",
    ["..", ".", "/tmp/x", "../../x", "a/b", "a\\b", ".hidden", "-m", "a b", "~", "a" * 101, "<b>", "x\ny", "'x", "a:b"],
)
def test_a_name_is_no_path(key: str, name: str) -> None:
    request = composed()
    OmegaConf.update(request, key, name)
    with pytest.raises(RequestError, match="must be a name of letters, digits"):
        resolve_config(request)


@pytest.mark.parametrize("name", ["comparison", "Comparison", "mlartifacts", "mlflow.db", "mlflow.db-wal", "mlruns"])
def test_a_model_takes_no_name_that_is_taken(name: str) -> None:
    with pytest.raises(RequestError, match=f"model.name={name}: must be another name, multirun/{name} is for"):
        resolve_config(composed(f"model.name={name}"))


def test_names_hold_what_names_hold() -> None:
    for name in ("Llama-2_7b.hf", "0.5", "modèle", "comparison2"):
        assert resolve_config(composed(f"model.name='{name}'", f"sweep='{name}'")).model.name == name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tda.transformer.homology_dimensions=5"], "homology_dimensions=5: give a list of whole numbers from 0 to 10"),
        (["tda.transformer.homology_dimensions=[]"], r"homology_dimensions=\[\]: give a list"),
        (["tda.transformer.homology_dimensions='01'"], "homology_dimensions=01: give a list"),
        (["tda.transformer.homology_dimensions=[0,1000000000000]"], "from 0 to 10"),
        (["tda.transformer.homology_dimensions=[true]"], "from 0 to 10"),
        (["++probe.size=-9223372036854775809"], "probe.size=-9223372036854775809: must be at least 6"),
        (["++probe.size=9223372036854775808"], "probe.size=9223372036854775808: must be at most 2147483647"),
        (["++probe.size=" + "9" * 400], "must be at most 2147483647"),
        (["trainer.max_steps=100000000000"], "trainer.max_steps=100000000000: must be at most 10000000"),
        (["tda.workers=100000"], "tda.workers=100000: must be at most 1024"),
        (["schedule.lag=99999999999"], "schedule.lag=99999999999: must be at most"),
        (["tda.components=20000"], "tda.components=20000: at most probe.size=256"),
        (["tda.components=257", "tda=cech"], "tda.components=257: at most probe.size=256"),
        (["tda.components=-9"], "tda.components=-9: must be at least 1"),
        (["tda.transformer.homology_dimensions=[0,1,1]"], r"=\[0, 1, 1\]: one is there twice"),
        (["trainer.learning_rate=1e400"], "trainer.learning_rate=inf: must be a finite number"),
        (["adapter.alpha=inf"], "adapter.alpha=inf: must be a finite number"),
        (["objective.weights={helpful:inf}"], "objective.weights=.*must be finite numbers"),
        (["trainer.micro_batch_size=0"], "trainer.micro_batch_size=0: must be at least 1"),
        (
            ["tracking.experiment=" + "x" * 501],
            "must be at most 500 characters, not 501",
        ),
        (["tracking.experiment='a\tb'"], "must be without control characters, such as"),
        (["tracking.uri='http://[::1'"], r"tracking\.uri=http://\[::1: must be an address, such as http://host:5000"),
        (["tracking.uri=http://host:99999"], "must be an address"),
        (["tracking.uri=' '"], "not empty"),
        (["schedule=every", "schedule.interval=-1"], "schedule.interval=-1: must be at least 1"),
        (["tda=layers", "tda.neighbors=0"], "tda.neighbors=0: must be at least 1"),
        (["tda=layers", "tda.neighbors=9"], "tda.neighbors=9: must be at most 8"),
        (["tda=layers", "tda.points=6", "tda.neighbors=6"], "tda.neighbors=6: each of 6 points has 5 others; lower it"),
        (["tda=layers", "tda.drop_sinks=true"], "tda.neighbors=4: follows the same points through all layers"),
        (["tda=none", "tda.neighbors=4"], "tda.neighbors=4: tda=none measures nothing"),
    ],
)
def test_a_value_that_nothing_can_do_is_refused_before_anything_is_computed(words: list[str], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        resolve_config(composed(*words))
