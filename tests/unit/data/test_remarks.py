"""What is said of the dialogues before training, once."""

from __future__ import annotations

from collections import Counter

import pytest

from src.config import ObjectiveConfig
from src.data.dialogues import Dialogue, Turn
from src.data.labels import Remark
from src.data.remarks import report_remarks
from tests.support.text import CHAT, NO_SYSTEM, make_tokenizer, with_template

ASKED = (Turn("user", "Hi"),)
TALKS = [Dialogue(ASKED, "Yes", None), Dialogue((Turn("system", "Be kind."), *ASKED), "No", None)]


def logged(
    caplog: pytest.LogCaptureFixture, template: str, chat: str | None = None, **counts: int
) -> list[tuple[str, str]]:  # fmt: skip
    tokenizer = with_template(chat) if chat else make_tokenizer("bytes")
    remarks = Counter({Remark[name]: count for name, count in counts.items()})
    caplog.clear()
    with caplog.at_level("INFO"):
        report_remarks(remarks, TALKS, ObjectiveConfig(template=template), tokenizer, 64)
    return [(record.levelname, record.getMessage()) for record in caplog.records]


@pytest.mark.parametrize(
    ("template", "remark", "level", "words"),
    [
        ("chat", "NO_STOP", "WARNING", ["objective.template=chat", "no stop token", "2 of 2", "plain ends it"]),
        ("plain", "NO_STOP", "WARNING", ["objective.template=plain", "model.path", "no end-of-text token"]),
        ("chat", "FRONT", "WARNING", ["objective.template=chat", "in front of a reply", "2 of 2", "is learned"]),
        ("plain", "CHANGED", "WARNING", ["model.path", "does not keep the text", "2 of 2"]),
        ("plain", "TYPED", "INFO", ["2 of 2 dialogues spell a special token", "kept as text"]),
        ("plain", "REPLY_CUT", "INFO", ["2 of 2", "trainer.max_length=64"]),
    ],
)
def test_each_remark_is_one_line(
    caplog: pytest.LogCaptureFixture, template: str, remark: str, level: str, words: list[str]
) -> None:
    [(spoken, text)] = logged(caplog, template, **{remark: 2})
    assert spoken == level
    for word in words:
        assert word in text


def test_a_folded_system_turn_is_said(caplog: pytest.LogCaptureFixture) -> None:
    [(_, text)] = logged(caplog, "chat", NO_SYSTEM)
    assert text.startswith("1 of 2 dialogues have a system turn")
    assert logged(caplog, "chat") == logged(caplog, "plain") == []


def test_a_date_that_is_taken_is_said(caplog: pytest.LogCaptureFixture) -> None:
    [(_, text)] = logged(caplog, "chat", "{{ strftime_now('%d') }}" + CHAT)
    assert "26 Jul 2024 is taken" in text
