"""Every shipped option composes; what is missing is filled in, and what is wrong is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from src.config import RequestError
from src.config.resolve import complete_config, resolve_config
from src.config.track import UNTRAINED
from tests.support.builders import composed, options

NEEDED = {
    "local": ["model.path=somewhere"],
    "list": ["schedule.steps=[0,1]"],
    "study_real": ["model.path=somewhere"],
    "study_smollm": ["model.path=somewhere"],
}
"""What an option does not bring along."""


@pytest.mark.parametrize("group", ["model", "objective", "tda"])
def test_every_model_objective_and_method_composes_and_sets_nothing_beyond_its_group(group: str) -> None:
    """So all their combinations compose: an option is read the same beside any option of the other groups."""
    default = OmegaConf.to_container(composed())
    for option in options(group):
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


@pytest.mark.parametrize("tda", options("tda"))
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
        (["schedule=every", "schedule.interval=-1"], "schedule.interval=-1: must be at least 1"),
    ],
)
def test_a_value_that_nothing_can_do_is_refused_before_anything_is_computed(words: list[str], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        resolve_config(composed(*words))
