"""Embedded models and dialogues: what a first run uses, with the script that made them (`make.py`)."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parent
"""Holds `dialogues/` (HH-RLHF layout), `tiny/` and `tiny_instruct/` (transformers format)."""

ARCHITECTURES = ASSETS / "architectures.json"
"""What `config.json` says of the hub models of `conf/model`, by hub id, or whose twin a model is."""


def locate(path: str) -> str:
    """The folder or hub id that a `model.path` stands for, `embedded:` and `~` resolved."""
    if path.startswith("embedded:"):
        return str(ASSETS / path.removeprefix("embedded:"))
    return str(Path(path).expanduser()) if path.startswith("~") else path
