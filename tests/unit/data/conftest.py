"""Tokenizers, and dialogues that are held out."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from src.config import ObjectiveConfig
from src.data.dialogues import Dialogue, is_held_out
from src.data.sources import read_dialogues
from tests.support.processes import ROOT


@pytest.fixture(scope="module")
def tiny() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(ROOT / "src" / "assets" / "tiny")


@pytest.fixture(scope="module")
def stories(shared_data: Path) -> PreTrainedTokenizerBase:
    """A SentencePiece-style tokenizer with a beginning-of-text token and without a padding token."""
    return AutoTokenizer.from_pretrained(shared_data / "models" / "stories260k")


@pytest.fixture(scope="module")
def held_out() -> dict[str, list[Dialogue]]:
    return {
        kind: [d for d in read_dialogues(ObjectiveConfig(dialogues="embedded"), kind) if is_held_out(d, 0.15)]
        for kind in ("helpful", "harmless")
    }
