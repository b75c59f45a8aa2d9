"""What the page of a measured series says of it."""

from __future__ import annotations

from src.config.track import CALLBACK
from src.pipeline.note import write_note
from tests.support.series import asked

EMPTY: dict = {
    "answers": [], "before_after": {}, "path_length": {}, "trained": "", "findings": [], "sensitivity": "",
    "missing": "", "weight_steps": [],
}  # fmt: skip


def test_a_series_says_what_it_is_and_what_its_step_0_is() -> None:
    config = asked("some/model", steps=[100, 200], source="checkpoints")
    config.schedule.lag = 100
    note = write_note(config, EMPTY | {"missing": "pairs"})
    assert "**model** (pretrained): 2 saved states (checkpoints), steps 100, 200." in note
    assert "has no step 0: what is said of it here is of its first checkpoint, 100" in note
    assert "**Missing**: pairs." in note
    assert "fine-tuned" not in note
    config.track.steps = [0, 100, 200]
    assert "has no step 0" not in write_note(config, EMPTY)


def test_a_callback_says_whose_training_it_was() -> None:
    config = asked("some/model", source=CALLBACK)
    config.schedule.lag, config.objective.name, config.trainer.max_steps = 1, "harmless", 30
    note = write_note(config, EMPTY)
    assert "objective **harmless**: measured while another trainer took 30 steps" in note
    assert "another trainer trained, up to step 7 of 30." in write_note(config, EMPTY | {"last_step": 7})
