"""Messages of people's files: who speaks, and what is said, as text that can be written in UTF-8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dialogues import Turn

ROLES = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant",
    "gpt": "assistant", "chatgpt": "assistant", "model": "assistant", "bot": "assistant",
}  # fmt: skip
"""What the speakers are called, by what people call them."""


CARRIED = (
    "tool_calls", "function_call", "reasoning_content", "reasoning", "thinking", "images", "image", "audio", "videos",
    "video",
)  # fmt: skip
"""What is said beside the content of a message: without it the message would be another."""


def parse_messages(messages: Any) -> list[Turn]:
    """A list of messages, or a single one; a system turn that says nothing is left out.

    Raises:
        ValueError: if it is none.
    """
    messages = _as_list(messages) if isinstance(messages, Mapping) else messages
    if not isinstance(messages, Sequence) or isinstance(messages, (str, bytes)):
        raise ValueError(f"messages are no list, but {type(messages).__name__}")
    turns = []
    for message in messages:
        if not isinstance(message, Mapping):
            raise ValueError("a message is no object with role and content")
        role, content = (
            next((message[name] for name in names if message.get(name) is not None), None)
            for names in (("role", "from"), ("content", "value"))
        )
        if not isinstance(role, str) or role.lower() not in ROLES:
            raise ValueError(f"role {role!r}: use system, user and assistant (or human and gpt)")
        refuse_more(message, CARRIED, "a message")
        if ROLES[role.lower()] == "system" and (content is None or (isinstance(content, str) and not content.strip())):
            continue
        turns.append(Turn(ROLES[role.lower()], parse_text(content)))
    return turns


def _as_list(messages: Mapping[str, Any]) -> list[Any]:
    """A single message, or a table of them, which is how `datasets` keeps a sequence of objects: lists by column."""
    columns = list(messages.values())
    if not columns or not all(isinstance(column, list) for column in columns):
        return [messages]
    if len({len(column) for column in columns}) > 1:
        raise ValueError("the columns of the messages have different lengths")
    return [dict(zip(messages, row, strict=True)) for row in zip(*columns, strict=True)]


def refuse_more(given: Mapping[str, Any], names: Sequence[str], what: str) -> None:
    """Raises ValueError if there is more to it than text.

    Args:
        given: a message or a row.
        names: of the values that may not be there, but for empty ones.
        what: is given, for the message.
    """
    for name in names:
        if given.get(name):
            raise ValueError(f"{what} has {name}, which cannot be trained on; where the text alone is meant, drop that")


def parse_text(value: Any) -> str:
    """A text, or the joined texts of a list of parts, without spaces around it.

    Raises:
        ValueError: if there is none, or it has half of a surrogate pair, which is no character.
    """
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        value = "".join(_text_of_part(part) for part in value)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"a turn is no text, but {type(value).__name__}")
    if value is None or not value.strip():
        raise ValueError("a turn is empty")
    text = value.strip()
    check_characters(text)
    return text


def check_characters(text: str) -> None:
    """Raises ValueError if a text cannot be written in UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start]
        raise ValueError(
            f"half of a surrogate pair, \\u{ord(half):04x}, which is no character: half of an emoji, often"
        ) from error


def _text_of_part(part: Any) -> str:
    text = part.get("text") if isinstance(part, Mapping) and part.get("type") in ("text", None) else None
    if not isinstance(text, str):
        kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
        raise ValueError(f"a part of the content is no text ({kind})")
    return text
