"""Turns to text to tokens: the plain and the chat template, and the mask that says which tokens are learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from transformers import PreTrainedTokenizerBase

from ..config import RequestError
from .chat import fit_system, render_chat
from .dialogues import Dialogue, Turn
from .labels import IGNORED, Example, Labeller, Reply
from .tokens import Span, TextTokenizer

__all__ = ["IGNORED", "Example", "encode_dialogue", "encode_dialogues", "render_dialogue", "render_prompt"]

TEXTS_PER_CALL = 256
"""Dialogues that are tokenized in one call."""
_NAMES = {"user": "Human", "assistant": "Assistant"}


@dataclass(frozen=True)
class Rendered:
    text: str
    content: list[Span]
    """What each turn says: text, even where it looks like a mark of the template."""


@dataclass(frozen=True)
class RenderedDialogue(Rendered):
    replies: list[Reply]
    """Each that is learned."""


def render_prompt(turns: Sequence[Turn], template: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """The text up to where the assistant's next reply begins.

    In the plain template, what a system turn says stands in front of the first `Human:`.

    Raises:
        RequestError: if the chat template cannot be used.
    """
    return locate_prompt(turns, template, tokenizer).text


def locate_prompt(
    turns: Sequence[Turn], template: str, tokenizer: PreTrainedTokenizerBase, key: str = "objective"
) -> Rendered:
    """As `render_prompt`, with where in the text its turns lie.

    Args:
        key: `objective` or `probe`, whose `template` asked for it.
    """
    if template == "plain":
        rendered = _render_plain(turns)
        return Rendered(rendered.text + "\n\nAssistant:", rendered.content)
    return render_chat_turns(turns, tokenizer, "a prompt", add_generation_prompt=True, key=key)


def _render_plain(turns: Sequence[Turn]) -> Rendered:
    text, content = "", list[Span]()
    for turn in turns:
        text += "" if turn.role == "system" else f"\n\n{_NAMES[turn.role]}: "
        content.append((len(text), len(text) + len(turn.text)))
        text += turn.text
    return Rendered(text, content)


def render_dialogue(
    dialogue: Dialogue, template: str, loss_on: str, tokenizer: PreTrainedTokenizerBase
) -> RenderedDialogue:  # fmt: skip
    """The dialogue with its chosen reply.

    Args:
        loss_on: `last` learns the last reply alone, `all` every one.

    Raises:
        RequestError: if the chat template leaves out or rewrites what a turn says.
    """
    turns: Sequence[Turn] = [*dialogue.prompt, Turn("assistant", dialogue.chosen)]
    if template == "plain":
        rendered = _render_plain(turns)
    else:
        turns = fit_system(turns, tokenizer)
        rendered = render_chat_turns(turns, tokenizer, dialogue.origin, add_generation_prompt=False)
    answers = [n for n, turn in enumerate(turns) if turn.role == "assistant"]
    if loss_on == "last":
        answers = answers[-1:]
    if template == "plain":  # the space in front of a reply is learned, too
        spans = [(rendered.content[n][0] - 1, rendered.content[n][1]) for n in answers]
    else:
        spans = [_find_reply(rendered.text, turns, n, tokenizer) for n in answers]
    replies = [Reply(span, rendered.content[n]) for span, n in zip(spans, answers, strict=True)]
    return RenderedDialogue(rendered.text, rendered.content, replies)


def _find_reply(text: str, turns: Sequence[Turn], n: int, tokenizer: PreTrainedTokenizerBase) -> Span:
    before = render_chat(turns[:n], tokenizer, add_generation_prompt=True)
    until = text if n + 1 == len(turns) else render_chat(turns[: n + 1], tokenizer, add_generation_prompt=False)
    if not text.startswith(before) and text.startswith(render_chat(turns[:n], tokenizer, add_generation_prompt=False)):
        raise RequestError(
            "objective.template=chat: this model's chat template asks for a reply with other words than it writes in "
            "front of one, so that what is learned would not be what is asked for; use objective.template=plain"
        )
    if not (text.startswith(before) and text.startswith(until)):
        raise RequestError(
            "objective.template=chat: this model's chat template rewrites earlier turns, so the replies cannot "
            "be told apart from the prompt; use objective.template=plain"
        )
    return len(before), len(until)


def render_chat_turns(
    turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase, origin: str, *, add_generation_prompt: bool,
    key: str = "objective",
) -> Rendered:  # fmt: skip
    """The turns in the chat template, and where in its text each lies.

    Args:
        origin: of the dialogue, for the message.
        key: `objective` or `probe`, whose `template` asked for it.

    Raises:
        RequestError: if one is not there as it is.
    """
    turns = fit_system(turns, tokenizer)
    text = render_chat(turns, tokenizer, add_generation_prompt=add_generation_prompt, key=key)
    # What stands where, told by texts that occur nowhere else: a short text may also be part of a mark.
    marks = [f"\ue000{n}\ue001" for n in range(len(turns))]
    shape = render_chat(
        [Turn(turn.role, mark) for turn, mark in zip(turns, marks, strict=True)], tokenizer,
        add_generation_prompt=add_generation_prompt, key=key,
    )  # fmt: skip
    content, at, written = list[Span](), 0, ""
    for n, (turn, mark) in enumerate(zip(turns, marks, strict=True)):
        before, found, shape = shape.partition(mark)
        written += before
        at = len(written)
        written += turn.text
        if not found or not text.startswith(before + turn.text, at - len(before)):
            raise RequestError(
                f"{key}.template=chat: {origin or 'a dialogue'}: the rendered text does not contain what turn {n + 1}, "
                f"{turn.text[:40]!r}, says: this model's chat template leaves it out or rewrites it; use "
                f"{key}.template=plain, or take the dialogue out"
            )
        content.append((at, len(written)))
    return Rendered(text, content)


def encode_dialogue(
    dialogue: Dialogue, template: str, loss_on: str, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Example:
    """Tokens and labels of a dialogue with its chosen reply; the beginning is cut where it is too long.

    The text is tokenized whole and the mask found by character offsets: tokenizing prompt and reply apart gives other
    tokens at the seam with SentencePiece tokenizers. What the labelled tokens say is then compared with the reply.

    Raises:
        RequestError: if no token would be learned, or others than those of the reply.
    """
    return next(encode_dialogues([dialogue], template, loss_on, tokenizer, max_length))


def encode_dialogues(
    dialogues: Iterable[Dialogue], template: str, loss_on: str, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Iterator[Example]:
    """As `encode_dialogue`, of each: many texts at once are tokenized faster."""
    text_tokenizer, rest = TextTokenizer(tokenizer), iter(dialogues)
    labeller = Labeller(text_tokenizer, template, max_length)
    while part := list(islice(rest, TEXTS_PER_CALL)):
        rendered = [render_dialogue(dialogue, template, loss_on, tokenizer) for dialogue in part]
        tokens = text_tokenizer.encode(
            [one.text for one in rendered], [one.content for one in rendered], add_special_tokens=template == "plain"
        )
        labelled = [labeller.label(one.text, one.replies, found) for one, found in zip(rendered, tokens, strict=True)]
        yield from labeller.finish(labelled, [dialogue.origin for dialogue in part])
