"""Every shipped combination composes; a run's identity and home follow from its configuration alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore

from src.config import Config, RequestError
from src.config.commands import CompareConfig
from src.config.identity import config_hash, identity, identity_keys
from src.config.messages import key_names
from src.config.resolve import complete_config, resolve_config
from src.rundir import RunDirectory
from src.rundir.naming import directory_of_run
from src.rundir.state import initialize

from .conftest import ROOT

CONF = ROOT / "conf"


def composed(*overrides: str):
    ConfigStore.instance().store(name="config_schema", node=Config)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


@pytest.mark.parametrize("model", options("model"))
def test_every_combination_of_model_objective_and_method_composes(model: str) -> None:
    path = ["model.path=somewhere"] if model == "local" else []
    for objective, tda in itertools.product(options("objective"), options("tda")):
        config = resolve_config(composed(f"model={model}", f"objective={objective}", f"tda={tda}", *path))
        assert (config.model.name, config.objective.name, config.tda.name) == (model, objective, tda)
        assert config.model.stage in ("pretrained", "instruct")


@pytest.mark.parametrize("group", ["schedule", "adapter", "probe", "trainer", "tracking", "experiment"])
def test_every_option_of_the_other_groups_composes(group: str) -> None:
    needed = {"list": ["schedule.steps=[0,1]"], "study_real": ["model.path=somewhere"]}
    for option in options(group):
        resolve_config(composed(f"{group}={option}", *needed.get(option, [])))


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


def home(*overrides: str) -> Path:
    chosen = [word for word in overrides if word.startswith(("model=", "objective=", "tda="))]
    return directory_of_run(resolve_config(composed(*overrides)), complete_config(composed(*chosen))).path


def test_a_run_of_defaults_lives_under_its_plain_name() -> None:
    assert home() == Path("multirun/tiny/helpful/vietoris_rips/seed0")
    assert home("objective=mixed", "seed=3", "tda=none") == Path("multirun/tiny/mixed/none/seed3")


def test_a_cell_has_one_home_however_it_was_started() -> None:
    smoke = ["probe.size=64", "schedule.early=3", "schedule.late=4", "objective.eval_size=16"]
    smoke += ["trainer.max_steps=24", "trainer.warmup_steps=4"]
    assert home("experiment=smoke") == home(*reversed(smoke))
    assert home("trainer.max_steps=240") == home(), "a default spelled out is still the default"


def test_different_configurations_never_share_a_home() -> None:
    homes = [home(), home("seed=1"), home("adapter=full"), home("probe.size=128"), home("probe.size=128", "seed=1")]
    assert len(set(homes)) == len(homes)


def test_identity_leaves_out_how_a_run_is_watched() -> None:
    watched = composed("tracking.uri=http://x", "tda.workers=7", "force=true", "debug=true", "sweep=a")
    assert config_hash(resolve_config(watched)) == config_hash(resolve_config(composed()))
    assert home("tda.workers=7", "sweep=a") == home()
    assert config_hash(resolve_config(composed("trainer.learning_rate=0.1"))) != config_hash(resolve_config(composed()))
    assert not any(key.startswith("tracking") for key in identity(resolve_config(composed())))


def test_every_setting_of_a_run_says_whether_it_is_identity() -> None:
    for schema in (Config, CompareConfig):
        leaves = set(key_names(schema))
        assert set(identity_keys(schema)) < leaves, "a setting without `identity=` raises KeyError"


@pytest.mark.parametrize(
    "described",
    ["gated=true", "twin=other", "vocabulary=9", "parameters=1e9", "blocks=3"],
)
def test_what_only_describes_a_model_changes_no_identity(described: str) -> None:
    assert config_hash(resolve_config(composed(f"model.{described}"))) == config_hash(resolve_config(composed()))
    assert home(f"model.{described}") == home()


def test_where_a_value_was_taken_from_changes_no_identity() -> None:
    for given, taken in (("model.learning_rate=0.1", "trainer.learning_rate=0.1"),
                         ("model.draws=5", "tda={subsamples:5,null_draws:5}")):  # fmt: skip
        ours, theirs = (resolve_config(composed(word)) for word in (given, taken))
        assert config_hash(ours) == config_hash(theirs) != config_hash(resolve_config(composed()))


def test_a_key_that_begins_like_another_is_none_of_it() -> None:
    keys = set(identity_keys(Config))
    assert "trainer.max_steps" in keys
    assert not keys & {"force", "debug", "sweep", "trainer.progress", "tracking.uri"}


def test_a_directory_that_an_earlier_version_named_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = resolve_config(composed("probe.size=64", "model.gated=true"))
    named = home("probe.size=64")
    initialize(RunDirectory(named.with_name("seed0-0123abcd")), config, reset=False)
    assert home("probe.size=64") == named.with_name("seed0-0123abcd")
    assert home("probe.size=32") != named.with_name("seed0-0123abcd"), "another configuration"
    initialize(RunDirectory(named), config, reset=False)
    assert home("probe.size=64") == named, "the name it has today comes first"
