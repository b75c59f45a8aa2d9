"""What makes two runs the same, and what only describes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from src.config import Config
from src.config.commands import CompareConfig
from src.config.identity import config_hash, identity, identity_keys
from src.config.messages import key_names
from src.config.resolve import resolve_config
from src.rundir import RunDirectory
from src.rundir.state import initialize, load_config
from tests.support.builders import composed, directory


def test_identity_leaves_out_how_a_run_is_watched() -> None:
    watched = composed("tracking.uri=http://x", "tda.workers=7", "force=true", "debug=true", "sweep=a")
    assert config_hash(resolve_config(watched)) == config_hash(resolve_config(composed()))
    assert directory("tda.workers=7", "sweep=a") == directory()
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
    assert directory(f"model.{described}") == directory()


def test_where_a_value_was_taken_from_changes_no_identity() -> None:
    for given, taken in (("model.learning_rate=0.1", "trainer.learning_rate=0.1"),
                         ("model.draws=5", "tda={subsamples:5,null_draws:5}")):  # fmt: skip
        ours, theirs = (resolve_config(composed(word)) for word in (given, taken))
        assert config_hash(ours) == config_hash(theirs) != config_hash(resolve_config(composed()))


def test_a_key_that_came_later_counts_only_where_it_was_changed() -> None:
    """Runs that were stored before it was there keep their names and hashes."""
    assert not {"tda.second_metric", "tda.rtd_points", "tda.neighbors"} & identity(resolve_config(composed())).keys()
    assert "tda.second_metric" in set(identity_keys(Config)), "or a comparison would not say that it differs"
    assert directory("tda.second_metric=auto") == directory()
    for value in ("none", "standardized"):
        changed = f"tda.second_metric={value}"
        assert config_hash(resolve_config(composed(changed))) != config_hash(resolve_config(composed()))
        assert directory(changed) != directory()


def test_a_key_that_begins_like_another_is_none_of_it() -> None:
    keys = set(identity_keys(Config))
    assert "trainer.max_steps" in keys
    assert not keys & {"force", "debug", "sweep", "trainer.progress", "tracking.uri"}


def test_random_updates_count_only_where_they_are_asked_for() -> None:
    before, now = (resolve_config(composed(*words)) for words in ((), ("tda.weight_draws=0", "tda.weight_steps=null")))
    assert not any(key.startswith("tda.weight_") for key in identity(before)), "or every stored run had another hash"
    assert config_hash(before) == config_hash(now)
    few, chosen = (
        resolve_config(composed("tda.weight_draws=3", *words)) for words in ((), ("tda.weight_steps=[0,1]",))
    )
    assert identity(few)["tda.weight_draws"] == 3
    assert len({config_hash(config) for config in (before, few, chosen)}) == 3
    assert len({directory(), directory("tda.weight_draws=3"), directory("tda.weight_draws=4")}) == 3


@pytest.mark.parametrize(
    "text", ["${oc.env:HOME}", "${oc.decode:'${oc.env:HOME}'}", r"\${oc.env:HOME}", "${", "a\\\\${b"]
)
def test_a_stored_configuration_refers_to_nothing(tmp_path: Path, text: str) -> None:
    """Somebody else may have written it: what looks like a reference stays the text that it is."""
    config = resolve_config(composed())
    config.sweep, config.tda.transformer = text, {"_target_": text, "inner": [{"key": text}]}
    initialize(RunDirectory(tmp_path), config, reset=False)
    again = load_config(RunDirectory(tmp_path))
    assert (again.sweep, again.tda.transformer) == (text, config.tda.transformer)
    if "oc." not in text:
        return
    stored = yaml.safe_load((tmp_path / "config.yaml").read_text())
    (tmp_path / "config.yaml").write_text(json.dumps(stored | {"sweep": text}))
    assert load_config(RunDirectory(tmp_path)).sweep.endswith(text.lstrip("\\a"))
