"""What a model is judged by: held-out dialogues, and some of them with the reply that was rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from transformers import PreTrainedTokenizerBase

from ..config import ObjectiveConfig
from .batches import Batch, collate
from .dialogues import Dialogue
from .labels import Example
from .rendering import encode_dialogues


@dataclass(frozen=True)
class HeldOut:
    """Dialogues of one source, neither trained on nor probes. Rows are counted through the batches."""

    chosen: list[Batch]
    """`labels` where the loss is taken; `reply`, like them, labels the last reply alone."""
    rejected: list[Batch]
    """Some of the dialogues with their rejected reply."""
    pairs: list[tuple[int, int]]
    """Rows of a dialogue in `chosen` and in `rejected`."""


def encode_held_out(
    dialogues: Sequence[Dialogue], objective: ObjectiveConfig, tokenizer: PreTrainedTokenizerBase, *, max_length: int,
    batch_size: int, pad: int,
) -> HeldOut:  # fmt: skip
    """Tokens of the dialogues, and of the first `objective.eval_pairs` that have a rejected reply.

    A pair is left out where one of its texts fills `max_length` and may have lost its beginning: the two replies would
    then answer different prompts.
    """

    def encode(dialogues: Sequence[Dialogue], loss_on: str) -> list[Example]:
        return list(encode_dialogues(dialogues, objective.template, loss_on, tokenizer, max_length))

    def order(examples: Sequence[Example]) -> list[int]:
        return sorted(range(len(examples)), key=lambda n: len(examples[n].ids))

    def batches(rows: Sequence[tuple[Example, Example]]) -> list[Batch]:
        parts = [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
        return [
            collate([row for row, _ in part], pad) | {"reply": collate([reply for _, reply in part], pad)["labels"]}
            for part in parts
        ]

    learned = encode(dialogues, objective.loss_on)
    chosen = learned if objective.loss_on == "last" else encode(dialogues, "last")
    swapped = {n: replace(d, chosen=d.rejected) for n, d in enumerate(dialogues) if d.rejected}
    rejected = dict(zip(swapped, encode(list(swapped.values()), "last"), strict=True))
    uncut = [n for n, other in rejected.items() if max(len(chosen[n].ids), len(other.ids)) < max_length]
    compared = uncut[: objective.eval_pairs]
    first = order(learned)
    second = [compared[k] for k in order([rejected[n] for n in compared])]
    return HeldOut(
        batches([(learned[n], chosen[n]) for n in first]),
        batches([(rejected[n], rejected[n]) for n in second]),
        [(first.index(n), second.index(n)) for n in compared],
    )
