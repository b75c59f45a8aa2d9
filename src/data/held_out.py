"""What a model is judged by: held-out dialogues, and some of them with the reply that was rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from transformers import PreTrainedTokenizerBase

from ..config import ObjectiveConfig
from .dialogues import Dialogue
from .labels import IGNORED, Example
from .rendering import encode_dialogues


@dataclass(frozen=True)
class EvaluatedText:
    """One text that is judged."""

    example: Example
    """Labelled where the loss is taken."""
    in_reply: tuple[bool, ...]
    """Of its targets, whether each belongs to the last reply."""


@dataclass(frozen=True)
class HeldOut:
    """Dialogues of one source, neither trained on nor probes."""

    chosen: tuple[EvaluatedText, ...]
    rejected: Mapping[int, EvaluatedText]
    """By their numbers in `chosen`, some of the dialogues with their rejected reply."""


def encode_held_out(
    dialogues: Sequence[Dialogue], objective: ObjectiveConfig, tokenizer: PreTrainedTokenizerBase, *, max_length: int
) -> HeldOut:
    """Tokens of the dialogues, and of the first `objective.eval_pairs` that have a rejected reply.

    A pair is left out where one of its texts fills `max_length` and may have lost its beginning: the two replies would
    then answer different prompts.
    """

    def encode(dialogues: Sequence[Dialogue], loss_on: str) -> list[Example]:
        return list(encode_dialogues(dialogues, objective.template, loss_on, tokenizer, max_length))

    learned = encode(dialogues, objective.loss_on)
    chosen = learned if objective.loss_on == "last" else encode(dialogues, "last")
    swapped = {n: replace(d, chosen=d.rejected) for n, d in enumerate(dialogues) if d.rejected}
    rejected = dict(zip(swapped, encode(list(swapped.values()), "last"), strict=True))
    uncut = [n for n, other in rejected.items() if max(len(chosen[n].ids), len(other.ids)) < max_length]
    return HeldOut(
        tuple(_mark_reply(example, reply) for example, reply in zip(learned, chosen, strict=True)),
        {n: _mark_reply(rejected[n], rejected[n]) for n in uncut[: objective.eval_pairs]},
    )


def _mark_reply(example: Example, reply: Example) -> EvaluatedText:
    """`reply`: the same tokens, labelled in the last reply alone."""
    pairs = zip(example.labels[1:], reply.labels[1:], strict=True)
    return EvaluatedText(example, tuple(in_reply != IGNORED for label, in_reply in pairs if label != IGNORED))
