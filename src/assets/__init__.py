"""Embedded models and dialogues: what a first run uses, with the script that made them (`make.py`)."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parent
"""Holds `dialogues/` (HH-RLHF layout), `tiny/` and `tiny_instruct/` (transformers format)."""
