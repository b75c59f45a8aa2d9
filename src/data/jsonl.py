"""A user's own dialogues and probe prompts, one JSON object (or, for prompts, one line of text) each.

A dialogue is one of

    {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}
    {"prompt": "..." or [messages], "chosen": "...", "rejected": "..."}
    {"chosen": "\\n\\nHuman: ...\\n\\nAssistant: ..." or [messages], "rejected": the same with another last reply}

and a probe prompt is a line of text, `{"prompt": "..."}` or `{"messages": [...]}` that ends with the user.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ..config import RequestError
from .dialogues import Dialogue, Turn, pair_turns, parse_turns

T = TypeVar("T")


def read_rows(key: str, file: Path, parse: Callable[[Any], T]) -> Iterator[T]:
    """`parse` of every line that is not blank, JSON decoded.

    Raises:
        RequestError: naming `key`, the file and the line that is no JSON or that `parse` refuses.
    """
    for number, line in read_lines(key, file):
        try:
            yield parse(json.loads(line))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise RequestError(f"{key}={file}: line {number} cannot be used ({reason}); mend or remove it") from error


def read_lines(key: str, file: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank with their numbers, from 1; gzip by the file's name.

    Raises:
        RequestError: naming `key` and the file if it is no text.
    """
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rt", encoding="utf-8") as lines:
            yield from ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RequestError(
            f"{key}={file}: cannot be read ({error}); it must be text in UTF-8, or gzip of it"
        ) from error


def read_own_dialogues(folder: Path, source: str) -> list[Dialogue]:
    """Dialogues of `<folder>/<source>.jsonl` or `.jsonl.gz`.

    Raises:
        RequestError: if there is no such file, or a line is no dialogue.
    """
    files = [path for end in ("", ".gz") if (path := folder / f"{source}.jsonl{end}").is_file()]
    if not files:
        raise RequestError(
            f"objective.data_dir={folder}: has no {source}.jsonl; objective.dialogues=jsonl reads one file per source"
        )
    return [dialogue for file in files for dialogue in read_rows("objective.data_dir", file, parse_dialogue)]


def parse_dialogue(row: dict[str, Any]) -> Dialogue:
    """One line as a dialogue.

    Raises:
        KeyError, TypeError, ValueError: if it is none.
    """
    if "messages" in row:
        turns = parse_messages(row["messages"])
        return pair_turns(turns, None)
    if "prompt" in row:
        prompt = parse_prompt(row)
        good, bad = ([*prompt, Turn("assistant", _text(row[name]))] for name in ("chosen", "rejected"))
    else:
        good, bad = (
            parse_messages(row[name]) if isinstance(row[name], list) else parse_turns(str(row[name]))
            for name in ("chosen", "rejected")
        )
    return pair_turns(good, bad)


def parse_prompt(row: str | dict[str, Any]) -> tuple[Turn, ...]:
    """A prompt: text, `prompt` or `messages`; the user speaks first and last."""
    given = row if isinstance(row, str) else row["prompt"] if "prompt" in row else row["messages"]
    turns = [Turn("user", _text(given))] if isinstance(given, str) else parse_messages(given)
    if [turn.role for turn in turns] != (["user", "assistant"] * len(turns))[: len(turns)] or len(turns) % 2 == 0:
        raise ValueError("a prompt alternates between user and assistant and ends with the user")
    return tuple(turns)


def parse_messages(messages: list[dict[str, str]]) -> list[Turn]:
    for message in messages:
        if message["role"] not in ("user", "assistant"):
            raise ValueError(f"role {message['role']!r}: use user and assistant")
    return [Turn(message["role"], _text(message["content"])) for message in messages]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a turn is empty or no text")
    return value.strip()


def read_prompts(file: Path) -> list[tuple[Turn, ...]]:
    """Probe prompts: JSONL if the name says so, else one prompt per line that is not blank.

    Raises:
        RequestError: naming the line that cannot be used.
    """
    if ".jsonl" in file.suffixes:
        return list(read_rows("probe.file", file, parse_prompt))
    return [(Turn("user", line.strip()),) for _, line in read_lines("probe.file", file)]
