"""Which reply follows a prompt in training: the chosen one, or, as a control, one that should teach something else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from ..config import RequestError
from ..system.words import count_of
from .dialogues import Dialogue


def choose_replies(dialogues: Sequence[Dialogue], reply: str, source: str) -> list[Dialogue]:
    """The dialogues with the reply that is trained on in the place of the chosen one.

    Args:
        dialogues: of one source.
        reply: `chosen`; `rejected`, the reply that was not preferred; `shuffled`, the chosen reply of another dialogue
            of the source, each once, in an order that is the same for every run.
        source: for messages.

    Raises:
        RequestError: if a dialogue has no rejected reply, or there is no other dialogue.
    """
    if reply == "rejected":
        lacking = sum(dialogue.rejected is None for dialogue in dialogues)
        if lacking:
            raise RequestError(
                f"objective.reply=rejected: {lacking} of {len(dialogues)} {source} dialogues have no rejected reply; "
                "give pairs, or objective.reply=chosen or shuffled"
            )
        return [replace(one, chosen=one.rejected, rejected=one.chosen) for one in dialogues if one.rejected is not None]
    if reply == "shuffled":
        if len(dialogues) < 2:
            there = count_of(len(dialogues), f"{source} dialogue")
            raise RequestError(f"objective.reply=shuffled: {there}, none to swap with")
        order = list(range(len(dialogues)))
        random.Random(0).shuffle(order)
        # Each takes the reply of the next one in a random circle, so that none keeps its own.
        giver = dict(zip(order, order[1:] + order[:1], strict=True))
        return [replace(one, chosen=dialogues[giver[n]].chosen, rejected=None) for n, one in enumerate(dialogues)]
    return list(dialogues)
