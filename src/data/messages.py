"""Messages of people's files: who speaks, and what is said, as text that can be written in UTF-8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dialogues import Turn

ROLES = {
    "system": "system", "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant",
    "chatgpt": "assistant", "model": "assistant", "bot": "assistant",
}  # fmt: skip
"""What the speakers are called, by what people call them."""


def parse_messages(messages: Any) -> list[Turn]:
    """A list of messages, or a single one; a system turn that says nothing is left out.

    Raises:
        ValueError: if it is none.
    """
    messages = [messages] if isinstance(messages, Mapping) else messages
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        raise ValueError("messages are no list")
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
        if message.get("tool_calls"):
            raise ValueError("a message has tool_calls, which cannot be trained on")
        if ROLES[role.lower()] == "system" and (content is None or (isinstance(content, str) and not content.strip())):
            continue
        turns.append(Turn(ROLES[role.lower()], parse_text(content)))
    return turns


def parse_text(value: Any) -> str:
    """A text, or the joined texts of a list of parts, without spaces around it.

    Raises:
        ValueError: if there is none, or it has half of a surrogate pair, which is no character.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = "".join(_text_of_part(part) for part in value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a turn is empty or no text")
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
