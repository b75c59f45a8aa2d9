"""Where dialogues come from: embedded, HH-RLHF from a folder or from the hub, a user's own files."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..assets import ASSETS
from ..config import ObjectiveConfig, RequestError
from .dialogues import Dialogue, parse_pair
from .hub import require_hub
from .jsonl import find_files, read_own_dialogues
from .messages import check_characters
from .records import read_rows

HUB_ID = "Anthropic/hh-rlhf"
Row = tuple[str, str, str]
"""A chosen and a rejected conversation, and where they stand."""

logger = logging.getLogger(__name__)


def read_dialogues(objective: ObjectiveConfig, source: str) -> list[Dialogue]:
    """Every sound dialogue of a source; of HH-RLHF the others are dropped, counted and reported.

    Raises:
        RequestError: if the folder or the hub has none, or a line is no JSON.
    """
    folder = Path(objective.data_dir).expanduser() if objective.data_dir else None
    if objective.dialogues == "jsonl" and folder:
        return read_own_dialogues(folder, source)
    if objective.dialogues == "embedded":
        rows = _read_folder(ASSETS / "dialogues", source)
    else:
        rows = _read_folder(folder, source) if folder else _read_hub(source)
    dialogues, dropped = [], Counter[str]()
    for chosen, rejected, origin in rows:
        try:
            dialogues.append(replace(parse_pair(chosen, rejected), origin=origin))
        except ValueError as defect:
            dropped[str(defect)] += 1
    for reason, count in dropped.items():
        logger.info("%s: dropped %d of %d dialogues: %s", source, count, len(dialogues) + dropped.total(), reason)
    return dialogues


def _read_folder(folder: Path, source: str) -> Iterator[Row]:
    files = [path for part in ("train", "test") if (path := folder / f"{source}-base" / f"{part}.jsonl.gz").is_file()]
    if not files:
        own = "; its other files are read with objective.dialogues=jsonl" if find_files(folder, source) else ""
        raise RequestError(
            f"objective.data_dir={folder}: has neither {source}-base/train.jsonl.gz nor "
            f"{source}-base/test.jsonl.gz{own}"
        )
    for file in files:
        for (chosen, rejected), place in read_rows("objective.data_dir", file, _parse_row):
            yield chosen, rejected, f"{source}-base/{place}"


def _parse_row(row: Any) -> tuple[str, str]:
    texts = str(row["chosen"]), str(row["rejected"])
    for text in texts:
        check_characters(text)
    return texts


def _read_hub(source: str) -> Iterator[Row]:
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
    for name, split in splits.items():
        for number, row in enumerate(split, start=1):
            yield row["chosen"], row["rejected"], f"{source}-base, {name}: row {number}"
