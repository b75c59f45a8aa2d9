"""Turns to text to tokens: the plain and the chat template, and the mask that says which tokens are learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from ..config import RequestError
from .dialogues import Dialogue, Turn

IGNORED = -100
"""Label of a token that the loss does not see (the value torch's cross entropy skips)."""
_NAMES = {"user": "Human", "assistant": "Assistant"}


@dataclass(frozen=True)
class Example:
    ids: list[int]
    labels: list[int]
    """Equal to `ids` where the token is learned, else IGNORED."""

    @property
    def targets(self) -> int:
        """Tokens that the loss is taken on: the first token is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])


def render_prompt(turns: Sequence[Turn], template: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """The text up to where the assistant's next reply begins."""
    if template == "plain":
        return "".join(f"\n\n{_NAMES[turn.role]}: {turn.text}" for turn in turns) + "\n\nAssistant:"
    return _render_chat(turns, tokenizer, add_generation_prompt=True)


def _render_chat(turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase, *, add_generation_prompt: bool) -> str:
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=add_generation_prompt))


def _render_dialogue(
    turns: Sequence[Turn], template: str, loss_on: str, tokenizer: PreTrainedTokenizerBase
) -> tuple[str, list[tuple[int, int]]]:
    """The whole text and the character spans of the replies that are learned."""
    replies = [n for n, turn in enumerate(turns) if turn.role == "assistant"]
    if loss_on == "last":
        replies = replies[-1:]
    if template == "plain":
        text = render_prompt(turns[:-1], template, tokenizer) + " " + turns[-1].text
    else:
        text = _render_chat(turns, tokenizer, add_generation_prompt=False)
    spans = []
    for n in replies:
        before = render_prompt(turns[:n], template, tokenizer)
        if template == "plain":
            until = before + " " + turns[n].text
        else:
            until = _render_chat(turns[: n + 1], tokenizer, add_generation_prompt=False)
        if not (text.startswith(before) and text.startswith(until)):
            raise RequestError(
                "objective.template=chat: this model's chat template rewrites earlier turns, so the replies cannot "
                "be told apart from the prompt; use objective.template=plain"
            )
        spans.append((len(before), len(until)))
    return text, spans


def encode_dialogue(
    dialogue: Dialogue, template: str, loss_on: str, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Example:
    """Tokens and labels of a dialogue with its chosen reply; the beginning is cut where it is too long.

    The text is tokenized whole and the mask found by character offsets: tokenizing prompt and reply apart gives other
    tokens at the seam with SentencePiece tokenizers.

    Raises:
        ValueError: if no token would be learned.
    """
    turns = [*dialogue.prompt, Turn("assistant", dialogue.chosen)]
    text, spans = _render_dialogue(turns, template, loss_on, tokenizer)
    encoded = tokenizer(text, add_special_tokens=template == "plain", return_offsets_mapping=True, verbose=False)
    ids: list[int] = list(encoded["input_ids"])
    labels = [
        token if end > start and any(first <= start < last for first, last in spans) else IGNORED
        for token, (start, end) in zip(ids, encoded["offset_mapping"], strict=True)
    ]
    if template == "plain" and tokenizer.eos_token_id is not None:
        # Without an end the model learns never to stop; the chat template brings its own.
        if ids[-1] != tokenizer.eos_token_id:
            ids.append(tokenizer.eos_token_id)
            labels.append(tokenizer.eos_token_id)
        labels[-1] = tokenizer.eos_token_id
    example = Example(ids[-max_length:], labels[-max_length:])
    if not example.targets:
        raise ValueError("no token of this dialogue would be learned: its replies are empty or cut away")
    return example
