"""A user's own dialogues and probe prompts: the documented formats, and what is said about the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from src.config import ObjectiveConfig, ProbeConfig, RequestError
from src.data.dialogues import Dialogue, Turn
from src.data.jsonl import parse_dialogue, parse_prompt, read_prompts
from src.data.probes import read_probes
from src.data.sources import read_dialogues

from .conftest import ROOT, Command

USER, REPLY, OTHER = ({"role": r, "content": c} for r, c in (("user", "Hi"), ("assistant", "Yes"), ("assistant", "No")))
PAIR = Dialogue((Turn("user", "Hi"),), "Yes", "No")


@pytest.mark.parametrize(
    ("row", "dialogue"),
    [
        ({"messages": [USER, REPLY]}, Dialogue((Turn("user", "Hi"),), "Yes", None)),
        ({"prompt": "Hi", "chosen": "Yes", "rejected": "No"}, PAIR),
        ({"prompt": [USER], "chosen": "Yes", "rejected": "No"}, PAIR),
        ({"chosen": [USER, REPLY], "rejected": [USER, OTHER]}, PAIR),
        ({"chosen": "\n\nHuman: Hi\n\nAssistant: Yes", "rejected": "\n\nHuman: Hi\n\nAssistant: No"}, PAIR),
    ],
)
def test_every_documented_format_is_read(row: dict, dialogue: Dialogue, tmp_path: Path) -> None:
    assert parse_dialogue(row) == dialogue
    (tmp_path / "helpful.jsonl").write_text(f"\n{json.dumps(row)}\n\n")
    objective = ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path))
    assert read_dialogues(objective, "helpful") == [dialogue]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [USER]}, {"messages": [REPLY, USER]}, {"messages": [USER, USER, REPLY]},
        {"messages": [{"role": "system", "content": "x"}, USER, REPLY]},
        {"prompt": "Hi", "chosen": "Yes"}, {"prompt": "Hi", "chosen": "Yes", "rejected": "Yes"},
        {"prompt": "", "chosen": "Yes", "rejected": "No"}, {"text": "Hi"}, [], 3, {"messages": [{"role": "user"}]},
    ],
)  # fmt: skip
def test_a_line_that_is_no_dialogue_is_named(row: object, tmp_path: Path) -> None:
    good = json.dumps({"messages": [USER, REPLY]})
    (tmp_path / "helpful.jsonl").write_text(f"{good}\n{json.dumps(row)}\n")
    with pytest.raises(RequestError, match=r"helpful\.jsonl: line 2 cannot be used"):
        read_dialogues(ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path)), "helpful")


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"has no harmless\.jsonl"):
        read_dialogues(ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path)), "harmless")


def test_prompts_are_lines_of_text_or_json(tmp_path: Path) -> None:
    text, rows = tmp_path / "p.txt", tmp_path / "p.jsonl"
    text.write_text("One?\n\n  Two?  \n")
    rows.write_text('"One?"\n{"prompt": "Two?"}\n')
    assert read_prompts(text) == read_prompts(rows) == [(Turn("user", "One?"),), (Turn("user", "Two?"),)]
    assert parse_prompt({"messages": [USER, REPLY, USER]})[-1] == Turn("user", "Hi")
    with pytest.raises(ValueError, match="ends with the user"):
        parse_prompt({"messages": [USER, REPLY]})


def test_own_probes_are_the_first_different_ones(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "src" / "assets" / "tiny")
    file = tmp_path / "p.txt"
    file.write_text("".join(f"Question {n // 2}?\n" for n in range(20)))
    probes = read_probes(ProbeConfig(size=8, file=str(file)), tokenizer)
    assert [tokenizer.decode(ids).split()[2] for ids in probes.ids] == [f"{n}?" for n in range(8)]
    with pytest.raises(RequestError, match=r"has 10 different prompts, probe\.size=12"):
        read_probes(ProbeConfig(size=12, file=str(file)), tokenizer)


@pytest.mark.slow
def test_a_run_on_nothing_but_the_users_own_files(command: Command, tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": f"Say {n}"}, REPLY | {"content": f"{n}!"}]} for n in range(200)]
    (tmp_path / "helpful.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "probes.txt").write_text("".join(f"What comes after {n}?\n" for n in range(64)))
    words = ["experiment=smoke", "objective.dialogues=jsonl", "objective.data_dir=.", "trainer.max_steps=4"]
    done = command("src.run", *words, "trainer.warmup_steps=1", "probe.file=probes.txt")
    assert done.returncode == 0, done.stderr
    (tmp_path / "probes.txt").write_text("".join(f"Say {n}\n" for n in range(64)))
    done = command("src.run", *words, "trainer.warmup_steps=2", "probe.file=probes.txt")
    assert done.returncode == 2
    assert "prompts begin like a training dialogue" in done.stderr
