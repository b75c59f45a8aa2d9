"""What is trained on, judged and probed is kept apart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from src.config import RequestError
from src.config.resolve import resolve_config
from src.data.dialogues import Dialogue, Turn
from src.data.objectives import load_data
from tests.support.builders import composed
from tests.support.text import CHAT, NO_END, with_template


def test_what_is_trained_on_judged_and_probed_share_no_opening(tiny: PreTrainedTokenizerBase) -> None:
    def openings(rows: Iterable[list[int]]) -> set[str]:
        texts = [tiny.decode(ids) for ids in rows]
        asked = [text.split("Human: ", 1)[1].split("\n\nAssistant:")[0] for text in texts]
        return {Dialogue((Turn("user", text),), "", "").opening for text in asked}

    config = resolve_config(composed("objective=mixed", "objective.eval_size=100000", "trainer.max_length=2048"))
    data = load_data(config, tiny)
    assert len(data.probes.openings) > 100
    evaluated = set[str]()
    for source in data.held_out.values():
        evaluated |= openings(text.example.ids for text in source.chosen)
    trained = openings(ids for batch in data.training for ids in batch["input_ids"].tolist())
    assert min(len(evaluated), len(trained)) > 30, "enough of them to meet"
    assert not evaluated & data.probes.openings
    assert not trained & data.probes.openings
    assert not trained & evaluated


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    """Words of a request for the dialogues of a folder, 60 of each source."""
    for source in ("helpful", "harmless"):
        rows = [{"prompt": f"{source} {n}?", "chosen": f"It is {n}.", "rejected": "No."} for n in range(60)]
        (tmp_path / f"{source}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return ["objective.dialogues=jsonl", f"objective.data_dir={tmp_path}", "probe.size=6", "objective.held_out=0.4"]


def test_every_dialogue_is_tokenized_before_the_first_step(own: list[str], tmp_path: Path) -> None:
    config = resolve_config(composed(*own, "objective.template=chat", "trainer.max_steps=2", "trainer.batch_size=1"))
    template = CHAT.replace("m.content", "m.content | replace('It is 31', '')")
    with pytest.raises(RequestError, match=r"objective\.template=chat: helpful\.jsonl: line 32: .* turn 2"):
        load_data(config, with_template(template))


def test_what_the_dialogues_lack_is_said_once(own: list[str], caplog: pytest.LogCaptureFixture) -> None:
    config = resolve_config(composed(*own, "objective.template=chat"))
    with caplog.at_level("INFO"):
        data = load_data(config, with_template(NO_END))
    assert len(list(data.training)) == config.trainer.max_steps
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_faults_of_all_files_are_told_at_once(own: list[str], tmp_path: Path) -> None:
    for source in ("helpful", "harmless"):
        (tmp_path / f"{source}.jsonl").write_text("{")
    with pytest.raises(RequestError) as refused:
        load_data(resolve_config(composed(*own)), with_template(CHAT))
    first, second = str(refused.value).splitlines()
    assert "helpful.jsonl: line 1" in first
    assert "harmless.jsonl: line 1" in second
