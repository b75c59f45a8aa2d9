"""Seeded generator of chosen / rejected dialogues, so that a first run needs no data hub.

Every dialogue is a template whose `{slots}` are filled once and shared by all its turns: the reply talks about what
was asked. Three kinds: `helpful` (chosen is specific, rejected is evasive), `harmless` (chosen declines and offers
something better, rejected goes along), `smalltalk` (only used to train the embedded models, never to fine-tune them).
"""

from __future__ import annotations

import random
import re

from .grammar import KINDS, PROSE, SMALLTALK
from .words import EXPLAIN, WORDS

Turn = dict[str, str]

_SLOT = re.compile(r"\{([a-z]+)(\d?)\}")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")


class _Filler:
    """The slot values of one dialogue: a slot keeps its value, `{slot}` and `{slot2}` differ."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        week, spent, weeks = rng.randrange(20, 90) * 10, rng.randrange(5, 19) * 10, rng.randrange(2, 10)
        self.values = {
            "a": str(week), "b": str(spent), "c": str(week - spent), "small": str(weeks),
            "total": str(weeks * (week - spent)), "eat": rng.choice(["eat", "cook"]),
        }  # fmt: skip

    def slot(self, match: re.Match[str]) -> str:
        word, copy = match.groups()
        key = word + copy
        if key not in self.values:
            if word == "explain":
                self.values[key] = EXPLAIN[self.values["subject"]]
            else:
                taken = {self.values.get(word), self.values.get(word + "2")}
                # The order matters: a set would make the choice depend on string hashing.
                self.values[key] = self.rng.choice([w for w in WORDS[word].split("|") if w not in taken])
        return self.values[key]

    def fill(self, template: str) -> str:
        while _CHOICE.search(template):
            template = _CHOICE.sub(lambda m: self.rng.choice(m.group(1).split("|")), template, count=1)
        text = " ".join(_SLOT.sub(self.slot, template).split())
        return text[:1].upper() + text[1:]


def make_pair(kind: str, rng: random.Random) -> tuple[list[Turn], str, str]:
    """One dialogue of `kind`: the turns up to the last question, the chosen and the rejected reply."""
    filler = _Filler(rng)
    templates = KINDS[kind]
    question, chosen, rejected = templates[rng.randrange(len(templates))]
    turns: list[Turn] = []
    if rng.random() < 0.3:
        greeting, answer, _ = SMALLTALK[rng.randrange(len(SMALLTALK))]
        opening = _Filler(rng)
        turns = [
            {"role": "user", "content": opening.fill(greeting)},
            {"role": "assistant", "content": opening.fill(answer)},
        ]
    turns.append({"role": "user", "content": filler.fill(question)})
    return turns, filler.fill(chosen), filler.fill(rejected)


def make_prose(rng: random.Random) -> list[str]:
    """A paragraph of a few sentences, each about something else."""
    return [_Filler(rng).fill(sentence) for sentence in rng.sample(PROSE, rng.randrange(2, 6))]


def make_pairs(kind: str, count: int, seed: int) -> list[tuple[list[Turn], str, str]]:
    """`count` dialogues with different prompts and different replies, the same for the same seed."""
    rng = random.Random(f"{kind}-{seed}")
    pairs: list[tuple[list[Turn], str, str]] = []
    seen: set[str] = set()
    while len(pairs) < count:
        turns, chosen, rejected = make_pair(kind, rng)
        prompt = " ".join(turn["content"] for turn in turns)
        if prompt not in seen and chosen != rejected:
            seen.add(prompt)
            pairs.append((turns, chosen, rejected))
    return pairs
