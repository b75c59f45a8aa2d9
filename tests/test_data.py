"""Dialogues, templates, the loss mask, the probe set and the order of training."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from src.config import ObjectiveConfig, ProbeConfig, RequestError
from src.config.resolve import resolve_config
from src.data.batches import Batch, TrainingStream, collate, order_batches
from src.data.dialogues import Dialogue, Turn, is_held_out, parse_pair, parse_turns
from src.data.objectives import load_data
from src.data.probes import choose_probes
from src.data.rendering import IGNORED, Example, encode_dialogue
from src.data.sources import read_dialogues

from .conftest import ROOT
from .test_config import composed

TALK = Dialogue(
    (Turn("user", "Hello, who are you?"), Turn("assistant", "A small model."), Turn("user", "How do I boil an egg?")),
    "Seven minutes in boiling water.",
    "No idea.",
)


@pytest.fixture(scope="module")
def tiny() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(ROOT / "src" / "assets" / "tiny")


@pytest.fixture(scope="module")
def stories(shared_data: Path) -> PreTrainedTokenizerBase:
    """A SentencePiece-style tokenizer with a beginning-of-text token and without a padding token."""
    return AutoTokenizer.from_pretrained(shared_data / "models" / "stories260k")


def test_turns_are_parsed_in_order() -> None:
    turns = parse_turns("\n\nHuman: One\n\nstill one\n\nAssistant: Two")
    assert turns == [Turn("user", "One\n\nstill one"), Turn("assistant", "Two")]


@pytest.mark.parametrize(
    "text",
    ["", "Human: a\n\nAssistant: b", "\n\nHuman: a", "\n\nAssistant: a\n\nHuman: b", "\n\nHuman: a\n\nAssistant: "],
)
def test_malformed_turns_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="turn"):
        parse_pair(text, "\n\nHuman: a\n\nAssistant: c")


def test_pairs_without_a_choice_are_refused() -> None:
    same = "\n\nHuman: a\n\nAssistant: b"
    with pytest.raises(ValueError, match="identical"):
        parse_pair(same, same)
    with pytest.raises(ValueError, match="differ before"):
        parse_pair(same, "\n\nHuman: x\n\nAssistant: b")


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
    with pytest.raises(RequestError, match=r"neither harmless-base/train\.jsonl\.gz"):
        read_dialogues(ObjectiveConfig(dialogues="hh_rlhf", data_dir=str(tmp_path)), "harmless")


@pytest.mark.parametrize("kind", ["helpful", "harmless"])
def test_embedded_dialogues_are_many_and_sound(kind: str) -> None:
    dialogues = read_dialogues(ObjectiveConfig(dialogues="embedded"), kind)
    assert len(dialogues) >= 1000
    assert len({d.chosen for d in dialogues}) > 0.9 * len(dialogues), "varied enough to be worth learning"


def test_embedded_dialogues_are_what_the_generator_makes(tmp_path: Path) -> None:
    from src.assets import ASSETS
    from src.assets.build.__main__ import write_dialogues

    write_dialogues(tmp_path)
    for made in tmp_path.rglob("*.gz"):
        assert made.read_bytes() == (ASSETS / "dialogues" / made.relative_to(tmp_path)).read_bytes()


def test_dialogues_with_one_opening_stay_on_one_side() -> None:
    longer = Dialogue((*TALK.prompt, Turn("assistant", "Fine."), Turn("user", "And then?")), "Peel it.", "No.")
    louder = Dialogue((Turn("user", "HELLO,  who are you?"),), "Me.", "You.")
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert is_held_out(TALK, share) == is_held_out(longer, share) == is_held_out(louder, share)


def learned(example: Example, tokenizer: PreTrainedTokenizerBase) -> str:
    return tokenizer.decode([token for token in example.labels if token != IGNORED])


@pytest.mark.parametrize("name", ["tiny", "stories"])
def test_only_the_last_reply_and_the_end_are_learned(name: str, request: pytest.FixtureRequest) -> None:
    tokenizer = request.getfixturevalue(name)
    example = encode_dialogue(TALK, "plain", "last", tokenizer, 512)
    assert learned(example, tokenizer).split() == [*TALK.chosen.split()[:-1], "water." + tokenizer.eos_token]
    whole = tokenizer.decode(example.ids)
    assert "Human: How do I boil an egg?\n\nAssistant: Seven minutes" in whole
    assert example.ids[-1] == tokenizer.eos_token_id


def test_all_replies_are_learned_on_request(tiny: PreTrainedTokenizerBase) -> None:
    text = learned(encode_dialogue(TALK, "plain", "all", tiny, 512), tiny)
    assert text == f" A small model. {TALK.chosen}{tiny.eos_token}"
    chat = learned(encode_dialogue(TALK, "chat", "all", tiny, 512), tiny)
    assert chat == f"A small model.<|end|>{TALK.chosen}<|end|>"


def test_chat_masks_the_prompt(tiny: PreTrainedTokenizerBase) -> None:
    assert learned(encode_dialogue(TALK, "chat", "last", tiny, 512), tiny) == f"{TALK.chosen}<|end|>"


def test_a_long_dialogue_loses_its_beginning_not_its_reply(tiny: PreTrainedTokenizerBase) -> None:
    full, cut = (encode_dialogue(TALK, "plain", "last", tiny, length) for length in (512, 30))
    assert cut.ids == full.ids[-30:]
    assert cut.labels == full.labels[-30:]


def test_an_example_without_a_target_is_refused(tiny: PreTrainedTokenizerBase) -> None:
    with pytest.raises(ValueError, match="unmasked"):
        collate([Example([1, 2, 3], [1, IGNORED, IGNORED])], pad=0)  # the first token is never predicted
    empty = Dialogue(TALK.prompt, "", "x")
    with pytest.raises(ValueError, match="learned"):
        encode_dialogue(empty, "chat", "last", tiny, 1)


@pytest.fixture(scope="module")
def held_out() -> dict[str, list[Dialogue]]:
    return {
        kind: [d for d in read_dialogues(ObjectiveConfig(dialogues="embedded"), kind) if is_held_out(d, 0.15)]
        for kind in ("helpful", "harmless")
    }


def test_what_is_trained_on_judged_and_probed_share_no_opening(tiny: PreTrainedTokenizerBase) -> None:
    def openings(batches: Iterable[Batch]) -> set[str]:
        texts = [tiny.decode(ids) for batch in batches for ids in batch["input_ids"]]
        asked = [text.split("Human: ", 1)[1].split("\n\nAssistant:")[0] for text in texts]
        return {Dialogue((Turn("user", text),), "", "").opening for text in asked}

    config = resolve_config(composed("objective=mixed", "objective.eval_size=100000", "trainer.max_length=2048"))
    data = load_data(config, tiny)
    assert len(data.probes.openings) > 100
    judged = set[str]()
    for source in data.held_out.values():
        judged |= openings(source.chosen)
    trained = openings(data.training)
    assert min(len(judged), len(trained)) > 30, "enough of them to meet"
    assert not judged & data.probes.openings
    assert not trained & data.probes.openings
    assert not trained & judged


def test_probes_are_half_and_half_and_distinct(tiny: PreTrainedTokenizerBase, held_out: dict) -> None:
    probes = choose_probes(held_out, ProbeConfig(size=64), tiny)
    assert Counter(probes.sources) == {"helpful": 32, "harmless": 32}
    assert probes.sources[:2] == ["helpful", "harmless"], "the first few probes are half and half as well"
    assert len({tuple(ids) for ids in probes.ids}) == 64
    assert len({ids[-1] for ids in probes.ids}) == 1, "all prompts end alike"


def test_a_larger_probe_set_begins_with_the_smaller(tiny: PreTrainedTokenizerBase, held_out: dict) -> None:
    small, large = (choose_probes(held_out, ProbeConfig(size=n), tiny) for n in (32, 64))
    assert large.ids[:32] == small.ids
    assert small.hash != large.hash


def test_the_probe_hash_sees_text_and_rendering_not_the_model(
    tiny: PreTrainedTokenizerBase, stories: PreTrainedTokenizerBase, held_out: dict
) -> None:
    plain = choose_probes(held_out, ProbeConfig(size=32), tiny)
    assert plain.hash == choose_probes(held_out, ProbeConfig(size=32), stories).hash
    assert plain.hash != choose_probes(held_out, ProbeConfig(size=32, template="chat"), tiny).hash


def test_long_probes_are_cut_on_the_left_and_counted(tiny: PreTrainedTokenizerBase, held_out: dict) -> None:
    whole, cut = (choose_probes(held_out, ProbeConfig(size=32, max_length=n), tiny) for n in (512, 20))
    assert whole.truncated == 0
    assert cut.truncated == sum(len(ids) > 20 for ids in whole.ids) > 0
    assert [ids[-20:] for ids in whole.ids] == cut.ids


def test_too_few_prompts_are_named(tiny: PreTrainedTokenizerBase, held_out: dict) -> None:
    with pytest.raises(RequestError, match=r"probe\.size=2000: needs 1000 .* there are \d+"):
        choose_probes(held_out, ProbeConfig(size=2000), tiny)


LENGTHS = {"helpful": list(range(10, 510)), "harmless": list(range(10, 210))}


def test_the_order_follows_the_seed_alone() -> None:
    weights = {"helpful": 1.0}
    first, again, other = (order_batches(LENGTHS, weights, 8, 50, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert [len(batch) for batch in first] == [8] * 50


def test_weights_are_kept_exactly_and_no_dialogue_comes_twice_too_soon() -> None:
    picks = [p for batch in order_batches(LENGTHS, {"helpful": 3, "harmless": 1}, 8, 50, 0) for p in batch]
    assert Counter(source for source, _ in picks) == {"helpful": 300, "harmless": 100}
    assert max(Counter(picks).values()) == 1
    many = Counter(p for batch in order_batches(LENGTHS, {"harmless": 1}, 8, 100, 0) for p in batch)
    assert set(many.values()) == {4}, "800 picks of 200 dialogues: each exactly four times"


def test_batches_hold_dialogues_of_like_length() -> None:
    batches = order_batches(LENGTHS, {"helpful": 1}, 8, 32, 0)
    spread = [max(n for _, n in batch) - min(n for _, n in batch) for batch in batches]
    assert sum(spread) / len(spread) < 0.1 * 500


def test_micro_batches_add_up_to_the_mean_over_the_tokens_of_the_step() -> None:
    examples = {n: Example([1] * (n + 2), [IGNORED, *[1] * (n + 1)]) for n in range(8)}
    batches = [[("helpful", n) for n in range(8)]]
    for micro in (8, 4, 2, 1):
        parts = list(TrainingStream(batches, lambda pick: examples[pick[1]], micro, pad=0))
        assert len(parts) == 8 // micro
        targets = torch.tensor([float((part["labels"][:, 1:] != IGNORED).sum()) for part in parts])
        weights = torch.stack([part["weight"] for part in parts])
        # The trainer divides by the number of parts: every token then weighs one over the tokens of the step.
        assert math.isclose(float((targets * weights).sum()) / len(parts), 1.0, rel_tol=1e-6)
