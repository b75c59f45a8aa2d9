"""What is said of words that cannot be composed: the key or the word, and what to do."""

from __future__ import annotations

import pytest

from src.config import Config
from src.config.messages import explain
from tests.support.builders import composed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["objective.weights.harmless=1"], "has no such entry here; add it with +objective.weights.harm"),
        (["adapter=null"], "adapter=null: a group takes the name of one of its options"),
        (["seed=1", "=1"], "=1: a group takes the name of one of its options"),
        (["tda.weight_steps=[a]"], "tda.weight_steps=[a]: Value 'a' of type 'str' could not be converted to Integer"),
        (["model.path=~/models"], "quote what has spaces, brackets or ~: 'key=\"~/a b\"'"),
        (["~seed=5"], "The value of 'seed' is 0 and not 5"),
        (["+seed=1"], "seed=1: Could not append to config. An item is already at 'seed'"),
        (["nope=1"], "nope: no such key"),
    ],
)  # fmt: skip
def test_a_word_that_cannot_be_composed_is_named(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["run", *words])
    with pytest.raises(Exception) as refused:  # noqa: PT011 - of Hydra or OmegaConf; the words are below
        composed(*words)
    assert message in explain(refused.value, Config)
