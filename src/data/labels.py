"""The loss mask: which tokens are learned, and whether they are those of the reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ..config import RequestError
from .tokens import Span, TextTokenizer, Tokens

IGNORED = -100
"""Label of a token that the loss does not see (the value torch's cross entropy skips)."""


class Remark(Enum):
    """What is unusual about a dialogue, yet no reason to refuse it."""

    NO_STOP = "no stop token is learned"
    FRONT = "what the template writes in front of the reply is learned"
    CHANGED = "the tokenizer does not keep the text of the reply"
    TYPED = "the text spells a special token"
    CUT = "the beginning was cut off"
    REPLY_CUT = "the beginning of the reply was cut off"


@dataclass(frozen=True)
class Example:
    ids: list[int]
    labels: list[int]
    """Equal to `ids` where the token is learned, else IGNORED."""
    remarks: tuple[Remark, ...] = ()

    @property
    def targets(self) -> int:
        """Tokens that the loss is taken on: the first token is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])


@dataclass(frozen=True)
class Reply:
    """Characters of a reply that is learned."""

    span: Span
    """With its end, and with what the template writes in front where a prompt does not."""
    content: Span


@dataclass(frozen=True)
class Labelled:
    """A whole dialogue, not cut yet."""

    text: str
    tokens: Tokens
    labels: list[int]
    spans: list[Span]
    """Characters that the labelled tokens must stand for, run by run."""
    runs: list[Span]
    """The labelled tokens of the text."""
    end: int
    """The first token behind what the last reply says."""
    has_front: bool
    """Whether more than spaces is learned in front of what a reply says."""


class Labeller:
    """Labels of tokenized dialogues, compared with what they must say before the beginning is cut off."""

    def __init__(self, tokenizer: TextTokenizer, template: str, max_length: int) -> None:
        self.tokenizer, self.template, self.max_length = tokenizer, template, max_length

    def label(self, text: str, replies: Sequence[Reply], tokens: Tokens) -> Labelled:
        """The mask of one dialogue, by the characters of its tokens."""
        ids, labels = list(tokens.ids), [IGNORED] * len(tokens.ids)
        runs = [self._find_run(tokens, reply.span) for reply in replies]
        for first, last in runs:
            labels[first:last] = ids[first:last]
        if self.template == "plain" and self.tokenizer.eos is not None:
            # Without an end the model learns never to stop; the chat template brings its own.
            if ids[-1] != self.tokenizer.eos or labels[-1] != IGNORED:
                ids.append(self.tokenizer.eos)
                labels.append(IGNORED)
            labels[-1] = self.tokenizer.eos
        spans = [_widen(reply.span, tokens.offsets[slice(*run)]) for reply, run in zip(replies, runs, strict=True)]
        until = replies[-1].content[1]
        last = max((n for n, (start, end) in enumerate(tokens.offsets) if start < min(end, until)), default=-1)
        has_front = any(text[reply.span[0] : reply.content[0]].strip() for reply in replies)
        return Labelled(text, Tokens(ids, tokens.offsets, tokens.typed), labels, spans, runs, last + 1, has_front)

    def _find_run(self, tokens: Tokens, span: Span) -> Span:
        """Tokens from the first to the last that has a character of `span`; none between them is left out."""
        first, last = span
        special = self.tokenizer.special
        inside = [
            n
            for n, (start, end) in enumerate(tokens.offsets)
            # A special token in front may have taken the space behind it along; an empty one stands at its end.
            if (start < last and end > first and (start >= first or tokens.ids[n] not in special))
            or (start == end and first < end <= last)
        ]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)

    def finish(self, dialogues: Sequence[Labelled], origins: Sequence[str]) -> list[Example]:
        """The examples, cut to the greatest length.

        Args:
            origins: file and line of each, for messages.

        Raises:
            RequestError: naming the first dialogue whose labelled tokens do not say its reply, or are none.
        """
        decoded = iter(self.tokenizer.decode([d.tokens.ids[slice(*run)] for d in dialogues for run in d.runs]))
        return [
            self._cut(dialogue, [next(decoded) for _ in dialogue.runs], origin or "a dialogue")
            for dialogue, origin in zip(dialogues, origins, strict=True)
        ]

    def _cut(self, dialogue: Labelled, learned: Sequence[str], origin: str) -> Example:
        ids, labels = dialogue.tokens.ids, dialogue.labels
        changed = [
            not self._says(dialogue, run, text, span, origin)
            for run, text, span in zip(dialogue.runs, learned, dialogue.spans, strict=True)
        ]
        dropped = len(ids) - self.max_length
        found = {
            Remark.NO_STOP: not self.tokenizer.stops.intersection(labels[dialogue.end :]),
            Remark.FRONT: dialogue.has_front,
            Remark.CHANGED: any(changed),
            Remark.TYPED: dialogue.tokens.typed,
            Remark.CUT: dropped > 0,
            Remark.REPLY_CUT: dropped > 0 and any(label != IGNORED for label in labels[:dropped]),
        }
        remarks = tuple(remark for remark, is_so in found.items() if is_so)
        example = Example(ids[-self.max_length :], labels[-self.max_length :], remarks)
        if not example.targets:
            raise RequestError(
                f"trainer.max_length={self.max_length}: {origin}: no token of this dialogue would be learned: its "
                "replies are empty or cut away; raise it, or take the dialogue out"
            )
        return example

    def _says(self, dialogue: Labelled, run: Span, learned: str, span: Span, origin: str) -> bool:
        """Whether the labelled tokens say what they must; False if the tokenizer itself does not keep the text.

        Raises:
            RequestError: if they say something else.
        """
        text, (start, end) = dialogue.text, span
        wanted = text[start:end]
        # Decoders drop a space in front, and marks take the space behind them along; replies have none at either end.
        if learned.strip() == wanted.strip():
            return True
        before, after = self.tokenizer.decode(
            [dialogue.tokens.ids[: run[0]], dialogue.tokens.ids[run[1] :]], skip_special=True
        )
        pairs = ((before, text[:start]), (learned, wanted), (after, text[end:]))
        if run != (0, 0) and all(self._is_rest_of(kept, whole) for kept, whole in pairs):
            return False
        raise RequestError(
            f"model.path={self.tokenizer.name}: {origin}: the tokens that would be learned say {learned[:40]!r}, the "
            f"reply {wanted.strip()[:40]!r}: its tokenizer does not tell rightly where its tokens lie; give another "
            "model.path, or mend its tokenizer.json"
        )

    def _is_rest_of(self, kept: str, whole: str) -> bool:
        """Whether the tokenizer, which may drop or rewrite characters, can have left `kept` of the text `whole`."""
        for token in (self.tokenizer.tokenizer.unk_token, self.tokenizer.tokenizer.eos_token):
            kept = kept.replace(str(token), "") if token else kept
        characters = iter(_squashed(self.tokenizer.normalize(whole)))
        return all(character in characters for character in _squashed(self.tokenizer.normalize(kept)))


def _squashed(text: str) -> str:
    return "".join(text.split()).replace("▁", "")


def _widen(span: Span, offsets: Sequence[Span]) -> Span:
    """The characters of `span` and of the tokens at its edges that reach beyond them."""
    edges = [(start, end) for start, end in [*offsets[:1], *offsets[-1:]] if end > start]
    return min([span[0], *(start for start, _ in edges)]), max([span[1], *(end for _, end in edges)])
