"""References between keys, `${key}`: what they come to is held against the key that has them."""

from __future__ import annotations

import re

import pytest

from src.config import RequestError
from src.config.resolve import resolve_config
from tests.support.builders import composed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["objective.weights=${seed}"], "objective.weights=${seed}: comes to 0, not to names with a value each"),
        (["schedule.steps=${seed}"], "schedule.steps=${seed}: comes to 0, not to a list"),
        (["tda.transformer=${seed}"], "tda.transformer=${seed}: comes to 0, not to names"),
        (["tda.allow=${model}"], "tda.allow=${model}: comes to {'name': 'tiny'"),
        (["seed=${tda.name}"], "seed=${tda.name}: Value 'vietoris_rips' of type 'str' could not be converted"),
        (["schedule.steps=[1,${tda.name}]"], "schedule.steps.1=${tda.name}: Value 'vietoris_rips'"),
        (["objective.weights={helpful:${model.name}}"], "objective.weights.helpful=${model.name}: Value 'tiny'"),
        (["seed=${nothing.here}"], "seed=${nothing.here}: Interpolation key 'nothing.here' not found"),
        (["seed=${seed}"], "seed=${seed}: Recursive interpolation detected"),
    ],
)
def test_a_reference_that_comes_to_what_its_key_cannot_be_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        resolve_config(composed(*words))


def test_references_come_to_their_values() -> None:
    config = resolve_config(composed("seed=${probe.size}", "schedule.steps=[0,${trainer.max_steps}]", "probe.size=48"))
    assert config.seed == 48
    assert config.schedule.steps == [0, config.trainer.max_steps]
