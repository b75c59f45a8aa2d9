"""The order of training and its batches."""

from __future__ import annotations

import math
import statistics
from collections import Counter

import torch

from src.data.batches import Batch, Layout, PackedExamples, TrainingStream, collate, order_batches, pack
from src.data.rendering import IGNORED, Example

SIZES = {"helpful": 500, "harmless": 200}
EXAMPLES = [Example([*range(n, 2 * n)], [IGNORED, *range(n + 1, 2 * n)]) for n in (5, 3, 9)]


def test_the_order_follows_the_seed_alone() -> None:
    weights = {"helpful": 1.0}
    first, again, other = (order_batches(SIZES, weights, 8, 50, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert [len(batch) for batch in first] == [8] * 50


def test_weights_are_kept_exactly_and_no_dialogue_comes_twice_too_soon() -> None:
    picks = [p for batch in order_batches(SIZES, {"helpful": 3, "harmless": 1}, 8, 50, 0) for p in batch]
    assert Counter(source for source, _ in picks) == {"helpful": 300, "harmless": 100}
    assert max(Counter(picks).values()) == 1
    many = Counter(p for batch in order_batches(SIZES, {"harmless": 1}, 8, 100, 0) for p in batch)
    assert set(many.values()) == {4}, "800 picks of 200 dialogues: each exactly four times"


def test_steps_do_not_go_by_the_place_of_a_dialogue() -> None:
    batches = order_batches(SIZES, {"helpful": 1}, 8, 60, 0)
    means = [sum(n for _, n in batch) / 8 for batch in batches]
    assert 25 < statistics.stdev(means) < 80, "51 is what eight of 500 at random give; sorted within windows 144"


def test_micro_batches_add_up_to_the_mean_over_the_tokens_of_the_step() -> None:
    examples = {n: Example([1] * (n + 2), [IGNORED, *[1] * (n + 1)]) for n in range(8)}
    batches = [[("helpful", n) for n in range(8)]]
    for micro in (8, 4, 2, 1):
        layout = Layout(pad=0, packed=micro % 4 == 0)
        parts = list(TrainingStream(batches, lambda pick: examples[pick[1]], micro, layout))
        assert len(parts) == 8 // micro
        targets = torch.tensor([float(len(part["next"])) for part in parts])
        weights = torch.tensor([part["weight"] for part in parts])
        # The trainer divides by the number of parts: every token then weighs one over the tokens of the step.
        assert math.isclose(float((targets * weights).sum()) / len(parts), 1.0, rel_tol=1e-6)


def test_processes_divide_the_dialogues_of_a_step_and_together_take_its_mean() -> None:
    examples = {n: Example([n] * (n + 2), [IGNORED, *[n] * (n + 1)]) for n in range(8)}
    batches = [[("helpful", n) for n in range(8)]]

    def parts_of(rank: int, world: int) -> list[Batch]:
        stream = TrainingStream(batches, lambda pick: examples[pick[1]], 2, Layout(pad=0))
        stream.rank, stream.world = rank, world
        return list(stream)

    shares = [parts_of(rank, 2) for rank in range(2)]
    assert [len(share) for share in shares] == [2, 2]
    # Gradients are divided by the parts of a process, and averaged over the processes.
    terms = [len(part["next"]) * part["weight"] / len(share) / 2 for share in shares for part in share]
    assert math.isclose(sum(terms), 1.0, rel_tol=1e-6)
    taken = sorted(token for share in shares for part in share for token in part["next"].tolist())
    assert taken == sorted(token for part in parts_of(0, 1) for token in part["next"].tolist())
    tokens = sum(len(example.ids) for example in examples.values())
    assert [sum(part["tokens"] for part in share) for share in shares] == [tokens, tokens], "all are counted"
    (only,), _ = (parts_of(rank, 8) for rank in range(2))
    assert only["next"].tolist() == [0], "a pass is no larger than the share of a process"


def test_packed_examples_are_what_was_packed() -> None:
    examples = [Example([n] * (n + 1), [IGNORED, *[n] * n]) for n in range(5)]
    packed = PackedExamples(examples)
    assert len(packed) == 5
    assert [packed[n] for n in (4, 0, 2)] == [examples[n] for n in (4, 0, 2)]


def test_a_packed_row_is_the_dialogues_end_to_end_and_what_fills_it_has_no_label() -> None:
    row = pack(EXAMPLES, pad=1, multiple=8)
    assert row["input_ids"].shape == (1, 24)
    assert row["spans"] == ((0, 5), (5, 8), (8, 17), (17, 24))
    for (start, stop), example in zip(row["spans"], EXAMPLES, strict=False):
        assert row["input_ids"][0, start:stop].tolist() == example.ids
    assert row["position_ids"][0].tolist() == [n for start, stop in row["spans"] for n in range(stop - start)]
    assert row["input_ids"][0, row["keep"] + 1].tolist() == row["next"].tolist()
    assert row["dialogue"].bincount().tolist() == [e.targets for e in EXAMPLES]


def test_padded_and_packed_have_the_same_labelled_tokens_in_the_same_order() -> None:
    packed, padded = pack(EXAMPLES, pad=1), collate(EXAMPLES, pad=1)
    assert torch.equal(packed["next"], padded["next"])
    assert torch.equal(packed["dialogue"], padded["dialogue"])
    at = padded["keep"][padded["place"] % len(padded["keep"])]
    assert torch.equal(padded["input_ids"][padded["dialogue"], at + 1], padded["next"])
    assert torch.equal(padded["place"] // len(padded["keep"]), padded["dialogue"])
