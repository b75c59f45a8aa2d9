"""Dialogues at random, in every form and container, sound and damaged, through every family of tokenizers."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from src.config import RequestError
from src.data.dialogues import Dialogue, Turn
from src.data.jsonl import read_own_dialogues
from src.data.labels import IGNORED, Remark
from src.data.rendering import encode_dialogues
from src.data.tokens import TextTokenizer

from ..support.text import CHAT, DROPS_SYSTEM, KEEP_TEXT, NO_SYSTEM, make_tokenizer, with_template
from .inputs import pick_some

WORDS = [
    "the egg", "boils", "  ", "\n", "\n    ", "\t", "é", "e\u0301", "😀", "\u200d", "\u2028", "\x00", "½", "def f(x):",
    "a", "<|end|>", "<|user|>", "<|im_end|>", "</s>", "[INST]", "{{ 1 }}", "{% if %}", "Human: ", "Assistant:", "user",
    "\\", '"', "\u3000", "\ufeff", "ﬁ", "مرحبا", "한국어", "...", "1" * 30, "x" * 200, "\r\n", "null",
]  # fmt: skip
HH_MARKS = ["\n\nHuman: ", "\n\nAssistant: "]
NAMES = {"user": ("user", "human", "Human"), "assistant": ("assistant", "gpt"), "system": ("system", "system")}


def read_and_encode(rng: random.Random) -> str:
    """One file of dialogues, read, compared with what was written, tokenized, and compared again."""
    form = rng.choice(sorted(FORMS))
    truth = [make_dialogue(rng, form) for _ in range(rng.randint(1, 4))]
    rows = [FORMS[form](rng, dialogue) for dialogue in truth]
    damage = rng.choice(sorted(DAMAGES)) if rng.random() < 0.5 else None
    if damage:
        DAMAGES[damage](rng, rows)
    with tempfile.TemporaryDirectory() as name:
        broken = write_rows(rng, rows, Path(name), parquet=damage is None)
        try:
            found = read_own_dialogues(Path(name), "helpful")
        except RequestError as error:
            if damage or broken:
                raise
            return f"{form}: a sound file is refused: {error}"
    if damage and not broken:  # which may have cut off just what was damaged
        return f"{damage}: a damaged file is read"
    if not broken and found != truth:
        return f"{form}: read as {found}, not {truth}"
    return compare_tokens(rng, found)


def make_text(rng: random.Random, words: list[str]) -> str:
    return "".join(pick_some(rng, words, 8)).strip() or "word"


def make_dialogue(rng: random.Random, form: str) -> Dialogue:
    """A dialogue that the form can hold."""
    texts = form.startswith(("prompt", "alpaca")) or "hh" in form
    words = [*WORDS, *([] if texts else HH_MARKS)]
    turns = 1 if texts and "hh" not in form else rng.choice((1, 1, 3))
    prompt = [Turn(("user", "assistant")[n % 2], make_text(rng, words)) for n in range(turns)]
    if texts:  # a text that begins with marks is taken for marks
        prompt = [replace(turn, text="Q" + turn.text) for turn in prompt]
    if rng.random() < 0.3 and "hh" not in form:
        prompt.insert(0, Turn("system", make_text(rng, words)))
    chosen = "R" + make_text(rng, words)
    alone = form in ("messages", "conversations", "alpaca")
    return Dialogue(tuple(prompt), chosen, None if alone else chosen + " or not")


def messages(rng: random.Random, turns: list[Turn] | tuple[Turn, ...]) -> list[dict[str, Any]]:
    content, role = rng.choice((("content", "role"), ("value", "from")))
    pad = rng.choice(("", " ", "\n"))
    return [
        {
            role: rng.choice(NAMES[turn.role]),
            content: [{"type": "text", "text": turn.text}] if rng.random() < 0.2 else pad + turn.text + pad,
        }
        for turn in turns
    ]


def replies(dialogue: Dialogue) -> list[tuple[str, Turn]]:
    pair = (("chosen", dialogue.chosen), ("rejected", dialogue.rejected))
    return [(name, Turn("assistant", text)) for name, text in pair if text is not None]


def as_messages(rng: random.Random, dialogue: Dialogue) -> dict[str, Any]:
    return {"messages": messages(rng, [*dialogue.prompt, Turn("assistant", dialogue.chosen)])}


def as_lists(rng: random.Random, dialogue: Dialogue) -> dict[str, Any]:
    return {name: messages(rng, [*dialogue.prompt, reply]) for name, reply in replies(dialogue)}


def as_ultrafeedback(rng: random.Random, dialogue: Dialogue) -> dict[str, Any]:
    row = as_lists(rng, dialogue)
    users = [turn.text for turn in dialogue.prompt if turn.role == "user"]
    return {"prompt": messages(rng, [Turn("user", users[0])]), "messages": row["chosen"], "score": 3.5} | row


def as_prompt_lists(rng: random.Random, dialogue: Dialogue) -> dict[str, Any]:
    sides = {name: messages(rng, [reply]) for name, reply in replies(dialogue)}
    return {rng.choice(("prompt", "messages", "conversations")): messages(rng, dialogue.prompt)} | sides


def as_texts(rng: random.Random, dialogue: Dialogue) -> dict[str, Any]:
    sides = {name: reply.text for name, reply in replies(dialogue)}
    return {"prompt": dialogue.prompt[-1].text} | sides | system_column(dialogue)


def system_column(dialogue: Dialogue) -> dict[str, Any]:
    first = dialogue.prompt[0]
    return {"system": first.text} if first.role == "system" else {}


def as_alpaca(rng: random.Random, dialogue: Dialogue) -> dict[str, Any]:
    row = {"instruction": dialogue.prompt[-1].text, "input": "", "output": dialogue.chosen}
    return row | system_column(dialogue)


def _hh(turns: list[Turn] | tuple[Turn, ...]) -> str:
    return "".join(f"\n\n{'Human' if turn.role == 'user' else 'Assistant'}: {turn.text}" for turn in turns)


def as_hh(rng: random.Random, dialogue: Dialogue) -> dict[str, Any]:
    return {name: _hh([*dialogue.prompt, reply]) for name, reply in replies(dialogue)}


def as_hh_prompt(rng: random.Random, dialogue: Dialogue) -> dict[str, Any]:
    prompt = _hh(dialogue.prompt) + "\n\nAssistant:"
    return {"prompt": prompt} | {name: f" {reply.text}" for name, reply in replies(dialogue)}


FORMS = {
    "messages": as_messages, "conversations": lambda rng, d: {"conversations": as_messages(rng, d)["messages"]},
    "lists": as_lists, "ultrafeedback": as_ultrafeedback, "lists_behind_prompt": as_prompt_lists,
    "prompt_texts": as_texts, "alpaca": as_alpaca, "hh": as_hh, "hh_prompt": as_hh_prompt,
}  # fmt: skip


def _change(rng: random.Random, rows: list[dict[str, Any]], value: Any) -> None:
    """Another value for a column that a row cannot be without."""
    row = rng.choice(rows)
    needed = [name for name in row if name in ("output", "chosen", "rejected")] or list(row)
    row[rng.choice(needed)] = value


def _damage(*values: Any) -> Callable[[random.Random, list[Any]], None]:
    return lambda rng, rows: _change(rng, rows, rng.choice(values))


def _foreign_row(rng: random.Random, rows: list[Any]) -> None:
    rows.insert(rng.randint(0, len(rows)), rng.choice([[], 3, "text", None, {}]))


DAMAGES = {
    "lone surrogate": _damage("half \ud83d", [{"role": "user", "content": "\udc00"}]),
    "empty text": _damage("", " \n", [], [{"role": "user", "content": " "}]),
    "a number": _damage(3, 1.5, True, 10**30),
    "another role": _damage(*([{"role": role, "content": "x"}] for role in ("tool", "", 3))),
    "no object": _foreign_row,
    "a picture": _damage([{"role": "assistant", "content": [{"type": "image"}]}]),
    "nested": _damage({"role": {"role": ["assistant"]}, "content": {"content": {}}}),
}


def write_rows(rng: random.Random, rows: list[Any], folder: Path, parquet: bool) -> bool:
    """The rows in one of the containers; returns whether the file was then damaged byte by byte."""
    if parquet and rng.random() < 0.2:
        try:
            columns = {name: None for row in rows for name in row}
            table = pyarrow.Table.from_pylist([columns | row for row in rows])
        except (pyarrow.ArrowException, TypeError):
            pass  # columns of several types, which no table holds
        else:
            pyarrow.parquet.write_table(table, folder / "helpful.parquet")
            return False
    ascii_only = rng.random() < 0.5 or not parquet
    if rng.random() < 0.3:
        text = json.dumps(rows, indent=rng.choice([None, 1]), ensure_ascii=ascii_only)
    else:
        text = rng.choice(["\n", "\r\n", "\n\n"]).join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    content = (rng.choice(["", "\ufeff"]) + text).encode()
    if rng.random() < 0.3:
        content = gzip.compress(content)
    broken = rng.random() < 0.15
    if broken and rng.random() < 0.5:
        content = content[: rng.randrange(len(content))]
    elif broken:
        at = rng.randrange(len(content))
        content = content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]
    (folder / f"helpful{rng.choice(['.jsonl', '.json'])}").write_bytes(content)
    return broken


def compare_tokens(rng: random.Random, dialogues: list[Dialogue]) -> str:
    """What the labels of the dialogues say beside their replies."""
    name, template = rng.choice(KEEP_TEXT), rng.choice(["plain", "chat"])
    tokenizer = make_tokenizer(name)
    if name == "bytes":
        tokenizer = with_template(rng.choice([CHAT, NO_SYSTEM, DROPS_SYSTEM]))
    loss_on, length = rng.choice(["last", "all"]), rng.choice([4, 64, 100_000])
    end = str(tokenizer.eos_token) if template == "plain" else "<|end|>"
    for dialogue, example in zip(
        dialogues, encode_dialogues(dialogues, template, loss_on, tokenizer, length), strict=True
    ):
        learned = [turn.text for turn in dialogue.prompt if turn.role == "assistant"] if loss_on == "all" else []
        ends = [end if template == "chat" else ""] * len(learned) + [end]
        wanted = "".join(text + stop for text, stop in zip([*learned, dialogue.chosen], ends, strict=True))
        [text] = TextTokenizer(tokenizer).decode([[token for token in example.labels if token != IGNORED]])
        is_whole = Remark.REPLY_CUT not in example.remarks
        text, wanted = "".join(text.split()), "".join(wanted.split())
        if text != wanted if is_whole else not wanted.endswith(text.replace("\ufffd", "")):
            return f"{name}, {template}, {loss_on}: learns {text!r}, not {wanted!r}"
        if Remark.NO_STOP in example.remarks or (Remark.CHANGED in example.remarks and name != "sentencepiece"):
            return f"{name}, {template}, {loss_on}: {example.remarks} of {wanted!r}"
    return ""
