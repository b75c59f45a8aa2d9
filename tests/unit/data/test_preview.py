"""What would be trained on, in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src.config.resolve import resolve_config
from src.data.labels import IGNORED, Example
from src.data.preview import mark_learned, preview_data
from tests.support.builders import composed
from tests.support.text import make_tokenizer


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    for source in ("helpful", "harmless"):
        rows = [{"prompt": f"{source} {n // 2}?", "chosen": f"It is {n // 2}.", "rejected": "No."} for n in range(60)]
        rows += [{"system": "Be kind.", "instruction": f"{source} 0? And", "output": "x" * 200}]
        (tmp_path / f"{source}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return ["objective.dialogues=jsonl", f"objective.data_dir={tmp_path}", "probe.size=6", "objective.held_out=0.4"]


def test_counts_lengths_and_examples_are_told(own: list[str], tmp_path: Path) -> None:
    config = resolve_config(composed(*own, "trainer.max_length=64"))
    text = "\n".join(preview_data(config, make_tokenizer("bytes")))
    trained = int(text.partition("helpful: ")[2].split()[0])
    held_out = int(text.partition("to train on, ")[2].split()[0])
    assert trained + held_out == 61
    assert "probes: 6, of which 0 lose" in text
    assert (
        f"said before: {trained // 2}; with the opening of another: {trained // 2 * 2}; with that of a probe: 0" in text
    )
    assert "helpful.jsonl: line " in text
    assert text.count("[[ It is ") == 3
    assert ".<|end|>]]" in text
    assert "harmless:" not in text, "nothing of it is trained on"


def test_own_probes_that_are_trained_on_are_counted(own: list[str], tmp_path: Path) -> None:
    probes = tmp_path / "probes.txt"
    probes.write_text("".join(f"helpful {n}?\n" for n in range(6)))
    text = "\n".join(preview_data(resolve_config(composed(*own, f"probe.file={probes}")), make_tokenizer("bytes")))
    assert 0 < int(text.partition("with that of a probe: ")[2].split()[0]) <= 12


def test_what_is_learned_is_marked() -> None:
    tokenizer = make_tokenizer("bytes")
    ids = tokenizer("Hi you")["input_ids"]
    labels = [IGNORED] * len(ids)
    labels[-1] = ids[-1]
    marked = mark_learned(Example(ids, labels), tokenizer)
    assert marked.endswith("]]")
    assert marked.replace("[[", "").replace("]]", "") == "Hi you"
