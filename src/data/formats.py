"""The forms that dialogues and prompts have in people's files, one row each.

    messages                        [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]
    conversations (ShareGPT)        [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]
    instruction, input, output      (Alpaca) texts; `input` may be missing
    prompt, chosen, rejected        texts or lists of messages; the prompt may also be `messages`, `conversations` or
                                    `instruction`, or stand at the beginning of both replies
    prompt, completion              the same with one reply
    chosen, rejected                HH-RLHF texts, "\\n\\nHuman: ...\\n\\nAssistant: ..."

A text of a message may be a list of text parts. A system turn comes first, or is a column `system`. Spaces around the
text of a turn are taken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dialogues import Dialogue, Turn, pair_turns, parse_turns, without_system
from .messages import check_characters, parse_messages, parse_text, refuse_more

ACCEPTED = (
    "accepted are messages; conversations (ShareGPT); instruction and output (Alpaca); prompt and completion; and "
    "chosen with rejected, beside a prompt or whole, as texts, lists of messages or HH-RLHF texts"
)
"""For messages."""
_HH_QUESTION, _HH_REPLY = "\n\nHuman:", "\n\nAssistant:"

_MORE = ("images", "image", "audios", "audio", "videos", "video", "tools", "functions")
"""Columns that make more of a dialogue than its text."""

Row = Mapping[str, Any]


def parse_dialogue(row: Any) -> Dialogue:
    """One row as a dialogue.

    Raises:
        ValueError: if it is none, with what is wrong.
    """
    row = _columns(row)
    replies = _name_replies(row)
    if replies:
        question = _parse_question(row)
        sides = [_with_system(row, _parse_side(row, name, question)) for name in replies]
        for talk in _talks(row):
            if talk[-1].role == "assistant" and without_system(talk) != without_system(sides[0]):
                raise ValueError(
                    f"messages and {replies[0]} differ: give one of them, or messages that end with the user"
                )
        return pair_turns(sides[0], sides[1] if len(sides) > 1 else None)
    talks = _talks(row)
    if talks:
        turns = talks[0]
        _join(_parse_question(row) or [], turns, "the conversation")
    elif "instruction" in row and "output" in row:
        turns = [*_parse_instruction(row), Turn("assistant", parse_text(row["output"]))]
    else:
        raise ValueError(f"no dialogue in {_name_columns(row)}")
    return pair_turns(_with_system(row, turns), None)


def _name_replies(row: Row) -> tuple[str, ...]:
    """The columns that hold replies beside a prompt, the wanted one first."""
    if "chosen" in row or "rejected" in row:
        lacking = [name for name in ("chosen", "rejected") if name not in row]
        if lacking:
            raise ValueError(f"no {lacking[0]!r} beside {_name_columns(row)}")
        return "chosen", "rejected"
    if "completion" not in row:
        return ()
    if "label" in row:
        raise ValueError("completion with label (KTO): give the wanted completions alone, or pairs")
    return ("completion",)


def parse_prompt(row: Any) -> tuple[Turn, ...]:
    """A prompt for a probe: a text, or a row with `prompt`, `messages`, `conversations` or `instruction`.

    Raises:
        ValueError: if it is none; the user speaks first, but for a system turn, and last.
    """
    row = {"prompt": row} if isinstance(row, str) else _columns(row)
    turns = _parse_question(row, with_reply=True)
    if turns is None:
        raise ValueError(f"no prompt in {_name_columns(row)}")
    turns = _with_system(row, turns)
    spoken = without_system(turns)
    if len(spoken) % 2 == 0 or [turn.role for turn in spoken] != (["user", "assistant"] * len(spoken))[: len(spoken)]:
        raise ValueError("a prompt alternates between user and assistant and ends with the user")
    return tuple(turns)


def _columns(row: Any) -> dict[str, Any]:
    """The columns that hold something; tables have null where a row lacks what others have."""
    if not isinstance(row, Mapping):
        raise ValueError(f"no object with named values, but {type(row).__name__}")
    refuse_more(row, _MORE, "the row")
    return {str(name): value for name, value in row.items() if value is not None}


def _name_columns(row: Row) -> str:
    return ", ".join(list(row)[:8]) or "an empty row"


def _with_system(row: Row, turns: list[Turn]) -> list[Turn]:
    """The turns behind what a column `system` says."""
    text = row.get("system")
    if text is None or (isinstance(text, str) and not text.strip()):
        return turns
    system = Turn("system", parse_text(text))
    if turns and turns[0].role == "system" and turns[0] != system:
        raise ValueError("two system turns, a column and a message, that differ")
    return [system, *without_system(turns)]


def _talks(row: Row) -> list[list[Turn]]:
    talks = [parse_messages(row[name]) for name in ("messages", "conversations") if name in row]
    if not all(talks):
        raise ValueError("an empty list of messages")
    return talks


def _parse_instruction(row: Row) -> list[Turn]:
    texts = [parse_text(row["instruction"])]
    if row.get("input") and not (isinstance(row["input"], str) and not row["input"].strip()):
        texts.append(parse_text(row["input"]))
    turns, history = list[Turn](), row.get("history") or []
    if not isinstance(history, Sequence) or not all(isinstance(pair, Sequence) and len(pair) == 2 for pair in history):
        raise ValueError("history is no list of pairs of a question and its reply")
    for asked, answered in history:
        turns += [Turn("user", parse_text(asked)), Turn("assistant", parse_text(answered))]
    return [*turns, Turn("user", "\n\n".join(texts))]


def _parse_question(row: Row, with_reply: bool = False) -> list[Turn] | None:
    """What a row gives in front of the reply; None if it gives nothing. All that it gives must fit together.

    Args:
        with_reply: to keep the reply that messages may end with.
    """
    given = [] if "prompt" not in row else [_parse_prompt_value(row["prompt"])]
    for talk in _talks(row):
        given.append(talk if with_reply or talk[-1].role != "assistant" else talk[:-1])
    if "instruction" in row:
        given.append(_parse_instruction(row))
    if not given:
        return None
    longest = max(given, key=len)
    for other in given:
        longest = _join(other, longest, "what the row asks elsewhere")
    return longest


def _parse_prompt_value(prompt: Any) -> list[Turn]:
    """Messages, a question, or HH-RLHF text that ends where the reply begins."""
    if not isinstance(prompt, str):
        return parse_messages(prompt)
    marked = _marked(prompt)
    if marked is None:
        return [Turn("user", parse_text(prompt))]
    body, _, rest = marked.rpartition(_HH_REPLY)
    return parse_turns(body if body and not rest.strip() else marked)


def _marked(text: str) -> str | None:
    """A text with marks of HH-RLHF, so that it begins with one; None without them."""
    bare = text.lstrip()
    if text.startswith(_HH_QUESTION) or (bare.startswith(_HH_QUESTION.strip()) and _HH_REPLY in text):
        check_characters(text)
        return "\n\n" + bare
    return None


def _parse_side(row: Row, name: str, question: list[Turn] | None) -> list[Turn]:
    """One of the two conversations, from its question to the reply.

    Args:
        question: what the row gives in front of the replies, if anything.
    """
    given = row[name]
    turns = _parse_reply_text(row, name, given) if isinstance(given, str) else parse_messages(given)
    if question is None or not turns:
        return turns
    if turns[0].role == "assistant":
        return [*question, *turns]
    return _join(question, turns, name)


def _parse_reply_text(row: Row, name: str, given: str) -> list[Turn]:
    """A reply, or the whole conversation where it or the prompt has the marks of HH-RLHF."""
    marked = _marked(given)
    if marked is not None:
        return parse_turns(marked)
    prompt = _marked(row["prompt"]) if isinstance(row.get("prompt"), str) else None
    if prompt is not None:
        check_characters(given)
        ended = prompt.rstrip().endswith(_HH_REPLY.strip())
        return parse_turns((prompt if ended else prompt + _HH_REPLY) + given)
    if not any(column in row for column in ("prompt", "messages", "conversations", "instruction")):
        raise ValueError(f"{name} is a text without prompt and without the marks of HH-RLHF")
    return [Turn("assistant", parse_text(given))]


def _join(question: list[Turn], turns: list[Turn], name: str) -> list[Turn]:
    """A conversation, of which a row also gives the question or the last one; a system turn may stand in either."""
    asked, spoken = list(without_system(question)), list(without_system(turns))
    users = [turn for turn in spoken if turn.role == "user"]
    if spoken[: len(asked)] != asked and asked != users[-1:]:
        raise ValueError(f"{name} does not begin with what the prompt says")
    systems = [some[0] for some in (question, turns) if some and some[0].role == "system"]
    if len(set(systems)) > 1:
        raise ValueError("two system turns that differ")
    return [*systems[:1], *spoken]
