"""The stopping rule that a configuration asks for, and what it lacks."""

from __future__ import annotations

import pytest

from src.config import RequestError
from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule
from src.pipeline.stopping import describe_stop, stop_rule
from tests.support.builders import composed


def test_the_rule_is_off_by_default_and_else_as_asked() -> None:
    config = resolve_config(composed("trainer.max_steps=240"))
    schedule = plan_schedule(config.schedule, 240)
    assert stop_rule(config, schedule) is None
    config = resolve_config(composed("trainer.stop=topology", "trainer.stop_patience=6", "trainer.stop_band=1.5"))
    rule = stop_rule(config, schedule)
    assert rule is not None
    assert (rule.patience, rule.band, rule.late_from) == (6, 1.5, 24)
    sentence = "ended after step 170 of 240, 70 steps saved: over 6 checkpoints velocity and own-scale excess changed"
    assert sentence in describe_stop(config, 170)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["tda=none"], "trainer.stop=topology: tda=none measures nothing"),
        (["tda.null_draws=0"], "trainer.stop=topology: needs an excess; give tda.null_draws=20"),
        (["trainer.stop_patience=2"], "trainer.stop_patience=2: must be at least 5"),
        (["trainer.stop_band=1"], "trainer.stop_band=1.0: must be above 1"),
    ],
)
def test_what_cannot_stop_anything_is_refused(words: list[str], named: str) -> None:
    with pytest.raises(RequestError, match=named):
        resolve_config(composed("trainer.stop=topology", *words))
