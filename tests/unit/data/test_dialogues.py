"""Dialogues as they are parsed and parted."""

from __future__ import annotations

import pytest

from src.data.dialogues import Dialogue, Turn, is_held_out, parse_pair, parse_turns

TALK = Dialogue(
    (Turn("user", "Hello, who are you?"), Turn("assistant", "A small model."), Turn("user", "How do I boil an egg?")),
    "Seven minutes in boiling water.",
    "No idea.",
)


def test_turns_are_parsed_in_order() -> None:
    turns = parse_turns("\n\nHuman: One\n\nstill one\n\nAssistant: Two")
    assert turns == [Turn("user", "One\n\nstill one"), Turn("assistant", "Two")]


@pytest.mark.parametrize(
    "text",
    ["", "Human: a\n\nAssistant: b", "\n\nHuman: a", "\n\nAssistant: a\n\nHuman: b", "\n\nHuman: a\n\nAssistant: "],
)
def test_malformed_turns_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="turn"):
        parse_pair(text, "\n\nHuman: a\n\nAssistant: c")


def test_pairs_without_a_choice_are_refused() -> None:
    same = "\n\nHuman: a\n\nAssistant: b"
    with pytest.raises(ValueError, match="identical"):
        parse_pair(same, same)
    with pytest.raises(ValueError, match="differ before"):
        parse_pair(same, "\n\nHuman: x\n\nAssistant: b")


def test_dialogues_with_one_opening_stay_on_one_side() -> None:
    longer = Dialogue((*TALK.prompt, Turn("assistant", "Fine."), Turn("user", "And then?")), "Peel it.", "No.")
    louder = Dialogue((Turn("user", "HELLO,  who are you?"),), "Me.", "You.")
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert is_held_out(TALK, share) == is_held_out(longer, share) == is_held_out(louder, share)
