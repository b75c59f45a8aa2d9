"""The order of training and its batches."""

from __future__ import annotations

import math
from collections import Counter

import torch

from src.data.batches import PackedExamples, TrainingStream, order_batches
from src.data.rendering import IGNORED, Example

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


def test_packed_examples_are_what_was_packed() -> None:
    examples = [Example([n] * (n + 1), [IGNORED, *[n] * n]) for n in range(5)]
    packed = PackedExamples(examples)
    assert len(packed) == 5
    assert [packed[n] for n in (4, 0, 2)] == [examples[n] for n in (4, 0, 2)]
