"""The reply that is trained on."""

from __future__ import annotations

import pytest

from src.config import RequestError
from src.data.dialogues import Dialogue, Turn
from src.data.replies import choose_replies

DIALOGUES = [Dialogue((Turn("user", f"question {n}"),), f"good {n}", f"bad {n}") for n in range(20)]


def test_the_chosen_reply_is_the_dialogue_as_it_is() -> None:
    assert choose_replies(DIALOGUES, "chosen", "harmless") == DIALOGUES


def test_the_rejected_reply_takes_the_place_of_the_chosen_one() -> None:
    found = choose_replies(DIALOGUES, "rejected", "harmless")
    assert [(d.prompt, d.chosen) for d in found] == [(d.prompt, d.rejected) for d in DIALOGUES]


def test_shuffled_replies_are_all_there_and_none_is_its_own() -> None:
    found = choose_replies(DIALOGUES, "shuffled", "harmless")
    assert [d.prompt for d in found] == [d.prompt for d in DIALOGUES]
    assert sorted(d.chosen for d in found) == sorted(d.chosen for d in DIALOGUES)
    assert all(new.chosen != old.chosen for new, old in zip(found, DIALOGUES, strict=True))
    assert found == choose_replies(DIALOGUES, "shuffled", "harmless"), "the same for every run"
    assert [d.chosen for d in choose_replies(DIALOGUES[:2], "shuffled", "harmless")] == ["good 1", "good 0"]


def test_what_cannot_be_is_said() -> None:
    lonely = [Dialogue((Turn("user", "hi"),), "hello", None)]
    with pytest.raises(RequestError, match=r"objective\.reply=rejected: 1 of 1 harmless dialogues have no rejected"):
        choose_replies(lonely, "rejected", "harmless")
    with pytest.raises(RequestError, match=r"objective\.reply=shuffled: 1 harmless dialogue"):
        choose_replies(lonely, "shuffled", "harmless")
