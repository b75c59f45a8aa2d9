"""Dialogues from their sources, real and embedded."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from src.config import ObjectiveConfig, RequestError
from src.data.sources import read_dialogues


def test_real_dialogues_are_read_and_the_unsound_counted(shared_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    objective = ObjectiveConfig(dialogues="hh_rlhf", data_dir=str(shared_data / "hh-rlhf"))
    with caplog.at_level("INFO"):
        dialogues = read_dialogues(objective, "helpful")
    dropped = sum(record.args[1] for record in caplog.records)  # type: ignore[index,misc]
    assert len(dialogues) + dropped == 2354
    assert "2 of 2354 dialogues: chosen and rejected are identical" in caplog.text
    for dialogue in dialogues:
        assert [turn.role for turn in dialogue.prompt] == ["user", "assistant"] * (len(dialogue.prompt) // 2) + ["user"]
        assert dialogue.chosen != dialogue.rejected


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "helpful-base" / "train.jsonl.gz"
    file.parent.mkdir()
    good = json.dumps({"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"})
    file.write_bytes(gzip.compress(f"{good}\n{{oops\n".encode()))
    with pytest.raises(RequestError, match=r"train\.jsonl\.gz: line 2 "):
        read_dialogues(ObjectiveConfig(dialogues="hh_rlhf", data_dir=str(tmp_path)), "helpful")
    file.write_bytes(gzip.compress(f"{good}\n{good.replace('Human: a', 'Human: ' + chr(92) + 'ud83d')}\n".encode()))
    with pytest.raises(RequestError, match=r"train\.jsonl\.gz: line 2 .*ud83d"):
        read_dialogues(ObjectiveConfig(dialogues="hh_rlhf", data_dir=str(tmp_path)), "helpful")
    with pytest.raises(RequestError, match=r"neither harmless-base/train\.jsonl\.gz"):
        read_dialogues(ObjectiveConfig(dialogues="hh_rlhf", data_dir=str(tmp_path)), "harmless")


@pytest.mark.parametrize("kind", ["helpful", "harmless"])
def test_embedded_dialogues_are_many_and_sound(kind: str) -> None:
    dialogues = read_dialogues(ObjectiveConfig(dialogues="embedded"), kind)
    assert len(dialogues) >= 1000
    assert len({d.chosen for d in dialogues}) > 0.9 * len(dialogues), "varied enough to be worth learning"
