"""A user's own dialogues and prompts: the documented formats, and what is said about the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src.config import ObjectiveConfig, RequestError
from src.data.dialogues import Dialogue, Turn
from src.data.jsonl import parse_dialogue, parse_prompt, read_prompts
from src.data.sources import read_dialogues

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
        {"messages": [USER, {"role": "system", "content": "x"}, REPLY]},
        {"prompt": "Hi", "chosen": "Yes"}, {"prompt": "Hi", "chosen": "Yes", "rejected": "Yes"},
        {"prompt": "", "chosen": "Yes", "rejected": "No"}, {"text": "Hi"}, [], 3, {"messages": [{"role": "user"}]},
    ],
)  # fmt: skip
def test_a_line_that_is_no_dialogue_is_named(row: object, tmp_path: Path) -> None:
    good = json.dumps({"messages": [USER, REPLY]})
    (tmp_path / "helpful.jsonl").write_text(f"{good}\n{json.dumps(row)}\n")
    with pytest.raises(RequestError, match=r"helpful\.jsonl: line 2 cannot be used"):
        read_dialogues(ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path)), "helpful")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"messages": [', "ends in the midst of a value"),
        ('{"text": "Hi"}', "accepted are messages; conversations"),
        ('{"prompt": "Hi", "chosen": "half \\ud83d", "rejected": "No"}', "\\ud83d"),
        ('{"prompt": "Hi", "chosen": "Yes"}', "rejected"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "helpful.jsonl").write_text(f"{json.dumps({'messages': [USER, REPLY]})}\n{line}\n")
    with pytest.raises(RequestError) as refused:
        read_dialogues(ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path)), "helpful")
    for part in ("objective.data_dir", "helpful.jsonl: line 2", message):
        assert part in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"has no harmless\.jsonl"):
        read_dialogues(ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path)), "harmless")


def test_every_file_of_a_source_is_read(tmp_path: Path) -> None:
    row = {"messages": [USER, REPLY]}
    (tmp_path / "helpful.json").write_text(json.dumps([row]))
    (tmp_path / "helpful").mkdir()
    (tmp_path / "helpful" / "part.jsonl").write_text(json.dumps(row))
    (tmp_path / "helpful" / "README.md").write_text("no rows")
    objective = ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path))
    found = read_dialogues(objective, "helpful")
    assert [dialogue.origin for dialogue in found] == ["helpful.json: entry 1 (line 1)", "part.jsonl: line 1"]
    (tmp_path / "harmless.jsonl").write_text("\n")
    with pytest.raises(RequestError, match=r"harmless\.jsonl holds no harmless dialogue"):
        read_dialogues(objective, "harmless")
    with pytest.raises(RequestError, match=r"are read with objective\.dialogues=jsonl"):
        read_dialogues(ObjectiveConfig(dialogues="hh_rlhf", data_dir=str(tmp_path)), "harmless")


def test_folders_are_read_as_the_hub_lays_them_out(tmp_path: Path) -> None:
    row = json.dumps({"messages": [USER, REPLY]})
    inside = tmp_path / "helpful" / "data"
    inside.mkdir(parents=True)
    (inside / "train-00000-of-00001.jsonl").write_text(row)
    for hidden in (inside / "._train.jsonl", tmp_path / "helpful" / ".cache" / "other.jsonl"):
        hidden.parent.mkdir(exist_ok=True)
        hidden.write_text("no row")
    (inside / "around").symlink_to(tmp_path / "helpful")
    found = read_dialogues(ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path)), "helpful")
    assert [dialogue.origin for dialogue in found] == ["train-00000-of-00001.jsonl: line 1"]


def test_a_file_of_another_ending_is_told(tmp_path: Path) -> None:
    (tmp_path / "Helpful.CSV").write_text("prompt,chosen\n")
    with pytest.raises(RequestError, match=r"has no helpful\.jsonl.*; there is Helpful\.CSV$"):
        read_dialogues(ObjectiveConfig(dialogues="jsonl", data_dir=str(tmp_path)), "helpful")


def test_prompts_are_lines_of_text_or_json(tmp_path: Path) -> None:
    text, rows = tmp_path / "p.txt", tmp_path / "p.jsonl"
    text.write_text("\ufeffOne?\n\n  Two?  \n")
    rows.write_text('"One?"\n{"prompt": "Two?"}\n')
    assert read_prompts(text) == read_prompts(rows) == [(Turn("user", "One?"),), (Turn("user", "Two?"),)]
    assert parse_prompt({"messages": [USER, REPLY, USER]})[-1] == Turn("user", "Hi")
    with pytest.raises(ValueError, match="ends with the user"):
        parse_prompt({"messages": [USER, REPLY]})
