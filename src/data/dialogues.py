"""Conversations: turns, pairs of a chosen and a rejected reply, and the side of the split that they lie on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_MARK = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}


@dataclass(frozen=True)
class Turn:
    role: str
    """`user` or `assistant`; `system` only in front of the first question."""
    text: str


@dataclass(frozen=True)
class Dialogue:
    prompt: tuple[Turn, ...]
    """Alternating turns; the user speaks first, but for a system turn, and last."""
    chosen: str
    rejected: str | None
    """None where a dialogue has no second reply to compare with."""
    origin: str = field(default="", compare=False)
    """File and line, for messages."""

    @property
    def opening(self) -> str:
        """What decides on which side of the split the dialogue lies."""
        return opening_of(self.prompt)


def opening_of(prompt: Sequence[Turn]) -> str:
    """The first question, case and spacing aside: dialogues that share it stay on one side of the split.

    A system turn has no say: a whole data set may share it.
    """
    return " ".join(without_system(prompt)[0].text.lower().split())


def without_system(turns: Sequence[Turn]) -> Sequence[Turn]:
    return turns[1:] if turns and turns[0].role == "system" else turns


def parse_turns(text: str) -> list[Turn]:
    """Turns of one HH-RLHF conversation.

    Raises:
        ValueError: if the text does not begin with one.
    """
    parts = _MARK.split(text)
    turns = [Turn(_ROLES[name], words.strip()) for name, words in zip(parts[1::2], parts[2::2], strict=True)]
    if parts[0].strip() or not turns:
        raise ValueError("text does not begin with a turn of Human")
    return turns


def parse_pair(chosen: str, rejected: str) -> Dialogue:
    """A chosen and a rejected conversation as one dialogue.

    Raises:
        ValueError: with the kind of defect, one of a few words that can be counted.
    """
    return pair_turns(parse_turns(chosen), parse_turns(rejected))


def pair_turns(chosen: Sequence[Turn], rejected: Sequence[Turn] | None) -> Dialogue:
    """Two conversations that share all but their last reply as one dialogue; `rejected` may be missing.

    Raises:
        ValueError: if turns do not alternate from a question to a reply, one is empty, or the two do not fit.
    """
    for turns in (chosen, rejected or chosen):
        spoken = without_system(turns)
        if not spoken or [turn.role for turn in spoken] != ["user", "assistant"] * (len(spoken) // 2):
            raise ValueError("turns do not alternate from a question to a reply")
        if not all(turn.text for turn in turns):
            raise ValueError("a turn is empty")
    if rejected is None:
        return Dialogue(tuple(chosen[:-1]), chosen[-1].text, None)
    if chosen[:-1] != rejected[:-1]:
        raise ValueError("chosen and rejected differ before the last reply")
    if chosen[-1] == rejected[-1]:
        raise ValueError("chosen and rejected are identical")
    return Dialogue(tuple(chosen[:-1]), chosen[-1].text, rejected[-1].text)


def is_held_out(dialogue: Dialogue, share: float) -> bool:
    """Whether the hash of the opening question puts the dialogue among the `share` that is never trained on."""
    return int(fingerprint(dialogue.opening)[:16], 16) < share * 16**16


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
