"""Conversations: HH-RLHF text parsed into turns, read from a folder or from the hub."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..assets import ASSETS
from ..config import ObjectiveConfig, RequestError
from .hub import require_hub

HUB_ID = "Anthropic/hh-rlhf"
_MARK = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Turn:
    role: str
    """`user` or `assistant`"""
    text: str


@dataclass(frozen=True)
class Dialogue:
    prompt: tuple[Turn, ...]
    """Alternating turns; the user speaks first and last."""
    chosen: str
    rejected: str

    @property
    def opening(self) -> str:
        """The first question, case and spacing aside: dialogues that share it stay on one side of the split."""
        return " ".join(self.prompt[0].text.lower().split())

    @property
    def length(self) -> int:
        """Characters."""
        return sum(len(turn.text) for turn in self.prompt) + len(self.chosen)


def parse_turns(text: str) -> list[Turn]:
    """Turns of one HH-RLHF conversation.

    Raises:
        ValueError: if the turns do not alternate from a question to a reply, or one is empty.
    """
    parts = _MARK.split(text)
    turns = [Turn(_ROLES[name], words.strip()) for name, words in zip(parts[1::2], parts[2::2], strict=True)]
    expected = ["user", "assistant"] * (len(turns) // 2)
    if parts[0].strip() or not turns or [turn.role for turn in turns] != expected:
        raise ValueError("turns do not alternate from Human to Assistant")
    if not all(turn.text for turn in turns):
        raise ValueError("a turn is empty")
    return turns


def parse_pair(chosen: str, rejected: str) -> Dialogue:
    """A chosen and a rejected conversation as one dialogue.

    Raises:
        ValueError: with the kind of defect, one of a few words that can be counted.
    """
    if chosen == rejected:
        raise ValueError("chosen and rejected are identical")
    good, bad = parse_turns(chosen), parse_turns(rejected)
    if good[:-1] != bad[:-1]:
        raise ValueError("chosen and rejected differ before the last reply")
    return Dialogue(tuple(good[:-1]), good[-1].text, bad[-1].text)


def read_dialogues(objective: ObjectiveConfig, source: str) -> list[Dialogue]:
    """Every sound dialogue of a source; the others are dropped, counted and reported.

    Raises:
        RequestError: if the folder or the hub has none, or a line is no JSON.
    """
    if objective.dialogues == "embedded":
        rows = _read_folder(ASSETS / "dialogues", source)
    elif objective.data_dir:
        rows = _read_folder(Path(objective.data_dir).expanduser(), source)
    else:
        rows = _read_hub(source)
    dialogues, dropped = [], Counter[str]()
    for chosen, rejected in rows:
        try:
            dialogues.append(parse_pair(chosen, rejected))
        except ValueError as defect:
            dropped[str(defect)] += 1
    for reason, count in dropped.items():
        logger.info("%s: dropped %d of %d dialogues: %s", source, count, len(dialogues) + dropped.total(), reason)
    return dialogues


def _read_folder(folder: Path, source: str) -> Iterator[tuple[str, str]]:
    files = [path for part in ("train", "test") if (path := folder / f"{source}-base" / f"{part}.jsonl.gz").is_file()]
    if not files:
        raise RequestError(
            f"objective.data_dir={folder}: has neither {source}-base/train.jsonl.gz nor {source}-base/test.jsonl.gz"
        )
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    row = json.loads(line)
                    yield row["chosen"], row["rejected"]
                except (json.JSONDecodeError, KeyError, TypeError) as error:
                    raise RequestError(
                        f"objective.data_dir={folder}: {file}, line {number} is no JSON object with "
                        f"`chosen` and `rejected` ({error!r}); mend or remove the line"
                    ) from error


def _read_hub(source: str) -> Iterator[tuple[str, str]]:
    from datasets import load_dataset

    try:
        require_hub()
        splits = load_dataset(HUB_ID, data_dir=f"{source}-base")
    except (OSError, ValueError) as error:
        raise RequestError(
            f"objective.dialogues=hh_rlhf: {HUB_ID} cannot be read from the hub "
            f"({str(error).splitlines()[0]}). Check the network, or give a folder that has "
            f"{source}-base/train.jsonl.gz with objective.data_dir=<folder>"
        ) from error
    for split in splits.values():
        for row in split:
            yield row["chosen"], row["rejected"]


def is_held_out(dialogue: Dialogue, share: float) -> bool:
    """Whether the hash of the opening question puts the dialogue among the `share` that is never trained on."""
    return int(fingerprint(dialogue.opening)[:16], 16) < share * 16**16


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
