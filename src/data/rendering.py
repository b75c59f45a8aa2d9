"""Turns to text to tokens: the plain and the chat template, and the mask that says which tokens are learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from transformers import PreTrainedTokenizerBase

from ..config import RequestError
from .chat import fit_system, render_chat
from .dialogues import Dialogue, Turn
from .labels import IGNORED, Example, Labeller
from .tokens import Span, TextTokenizer

__all__ = ["IGNORED", "Example", "Rendered", "encode_dialogue", "encode_dialogues", "render_dialogue", "render_prompt"]

TOGETHER = 256
"""Dialogues that are tokenized in one call."""
_NAMES = {"user": "Human", "assistant": "Assistant"}


@dataclass(frozen=True)
class Rendered:
    text: str
    learned: list[Span]
    """Each reply that is learned, with what the template writes around it."""
    replies: list[Span]
    """The replies themselves, each within one of `learned`."""
    said: list[Span]
    """What each turn says: text, even where it looks like a mark of the template."""


def render_prompt(
    turns: Sequence[Turn], template: str, tokenizer: PreTrainedTokenizerBase, key: str = "objective"
) -> str:
    """The text up to where the assistant's next reply begins.

    In the plain template, what a system turn says stands in front of the first `Human:`.

    Args:
        key: `objective` or `probe`, whose `template` asked for it.

    Raises:
        RequestError: if the chat template cannot be used.
    """
    if template == "plain":
        return _render_plain(turns) + "\n\nAssistant:"
    return render_chat(turns, tokenizer, add_generation_prompt=True, key=key)


def _render_plain(turns: Sequence[Turn]) -> str:
    return "".join(turn.text if turn.role == "system" else f"\n\n{_NAMES[turn.role]}: {turn.text}" for turn in turns)


def render_dialogue(dialogue: Dialogue, template: str, loss_on: str, tokenizer: PreTrainedTokenizerBase) -> Rendered:
    """The dialogue with its chosen reply.

    Args:
        loss_on: `last` learns the last reply alone, `all` every one.

    Raises:
        RequestError: if the chat template leaves out or rewrites what a turn says.
    """
    turns: Sequence[Turn] = [*dialogue.prompt, Turn("assistant", dialogue.chosen)]
    if template == "plain":
        text, learned = _render_plain(turns), {}
    else:
        turns = fit_system(turns, tokenizer)
        text = render_chat(turns, tokenizer, add_generation_prompt=False)
    replies = [n for n, turn in enumerate(turns) if turn.role == "assistant"]
    if loss_on == "last":
        replies = replies[-1:]
    if template == "chat":
        learned = {n: _find_reply(text, turns, n, tokenizer) for n in replies}
    said = locate_turns(text, turns, learned, dialogue.origin)
    if template == "plain":  # the space in front of a reply is learned, too
        learned = {n: (said[n][0] - 1, said[n][1]) for n in replies}
    return Rendered(text, [learned[n] for n in replies], [said[n] for n in replies], said)


def _find_reply(text: str, turns: Sequence[Turn], n: int, tokenizer: PreTrainedTokenizerBase) -> Span:
    before = render_chat(turns[:n], tokenizer, add_generation_prompt=True)
    until = text if n + 1 == len(turns) else render_chat(turns[: n + 1], tokenizer, add_generation_prompt=False)
    if not (text.startswith(before) and text.startswith(until)):
        raise RequestError(
            "objective.template=chat: this model's chat template rewrites earlier turns, so the replies cannot "
            "be told apart from the prompt; use objective.template=plain"
        )
    return len(before), len(until)


def locate_turns(
    text: str, turns: Sequence[Turn], within: Mapping[int, Span], origin: str, key: str = "objective"
) -> list[Span]:
    """Where in a rendered text each turn's own lies, one behind the other.

    Args:
        within: bounds of some turns, by their number.
        origin: of the dialogue, for the message.
        key: `objective` or `probe`, whose `template` asked for it.

    Raises:
        RequestError: if one is not there.
    """
    said, at = [], 0
    for n, turn in enumerate(turns):
        first, last = within.get(n, (at, len(text)))
        found = text.find(turn.text, max(at, first), last)
        if found < 0:
            raise RequestError(
                f"{key}.template=chat: {origin or 'a dialogue'}: the rendered text does not contain what turn "
                f"{n + 1}, {turn.text[:40]!r}, says: this model's chat template leaves it out or rewrites it; use "
                f"{key}.template=plain, or take the dialogue out"
            )
        at = found + len(turn.text)
        said.append((found, at))
    return said


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
    while part := list(islice(rest, TOGETHER)):
        rendered = [render_dialogue(dialogue, template, loss_on, tokenizer) for dialogue in part]
        tokens = text_tokenizer.encode(
            [one.text for one in rendered], [one.said for one in rendered], add_special_tokens=template == "plain"
        )
        labelled = [labeller.label(one.text, one.learned, found) for one, found in zip(rendered, tokens, strict=True)]
        yield from labeller.finish(labelled, [dialogue.origin for dialogue in part])
