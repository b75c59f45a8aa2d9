"""The order of training and its batches.

Shapes: B dialogues of a forward pass, T tokens.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from .labels import IGNORED, Example

Pick = tuple[str, int]
"""A source and the number of a dialogue in it."""
Batch = dict[str, Tensor]

WINDOW = 32
"""Batches among which dialogues are sorted by length: little padding, yet every batch differs."""


def order_batches(
    lengths: Mapping[str, Sequence[int]], weights: Mapping[str, float], batch_size: int, steps: int, seed: int
) -> list[list[Pick]]:
    """The dialogues of every optimizer step, a function of the seed alone.

    Sources take turns in proportion to their weights; each is passed through in full before one of its dialogues
    comes again. Within a window, dialogues of like length share a batch.

    Args:
        lengths: length of every dialogue, by source, in any unit.
        weights: share of each source; need not add up to 1.
    """
    rng = random.Random(f"order-{seed}")
    stream = _stream(lengths, {s: w for s, w in weights.items() if w > 0}, rng)
    batches: list[list[Pick]] = []
    while len(batches) < steps:
        window = [next(stream) for _ in range(min(WINDOW, steps - len(batches)) * batch_size)]
        window.sort(key=lambda pick: lengths[pick[0]][pick[1]])
        cut = [window[i : i + batch_size] for i in range(0, len(window), batch_size)]
        rng.shuffle(cut)
        batches += cut
    return batches


def _stream(lengths: Mapping[str, Sequence[int]], weights: dict[str, float], rng: random.Random) -> Iterator[Pick]:
    waiting: dict[str, list[int]] = {source: [] for source in weights}
    given = dict.fromkeys(weights, 0)
    while True:
        # The source that is furthest behind its share; exact proportions instead of a draw.
        source = min(weights, key=lambda s: (given[s] + 1) / weights[s])
        if not waiting[source]:
            waiting[source] = list(range(len(lengths[source])))
            rng.shuffle(waiting[source])
        given[source] += 1
        yield source, waiting[source].pop()


class PackedExamples:
    """Many examples in eight bytes a token; lists of Python's numbers would take five times as much."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self._ids, self._labels, self._ends = array("i"), array("i"), [0]
        for example in examples:
            self._ids.extend(example.ids)
            self._labels.extend(example.labels)
            self._ends.append(len(self._ids))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> Example:
        part = slice(self._ends[number], self._ends[number + 1])
        return Example(self._ids[part].tolist(), self._labels[part].tolist())


class TrainingStream(IterableDataset[Batch]):
    """Micro-batches, step after step; `weight` makes them add up to the mean over all tokens of the step."""

    def __init__(self, batches: list[list[Pick]], encode: Callable[[Pick], Example], micro: int, pad: int) -> None:
        self.batches, self.encode, self.micro, self.pad = batches, encode, micro, pad
        self.start = 0
        """The optimizer step that the next pass begins with."""

    def __iter__(self) -> Iterator[Batch]:
        for picks in self.batches[self.start :]:
            examples = [self.encode(pick) for pick in picks]
            parts = [examples[i : i + self.micro] for i in range(0, len(examples), self.micro)]
            targets = sum(example.targets for example in examples)
            for part in parts:
                # The trainer divides by the number of micro-batches; a mean of means would overweigh short replies.
                yield collate(part, self.pad) | {"weight": torch.tensor(len(parts) / targets)}


def collate(examples: Sequence[Example], pad: int) -> Batch:
    """`input_ids`, `attention_mask`, `labels` (B, T), padded on the right.

    Raises:
        ValueError: if an example has no token to learn, a silent mistake of the loss mask.
    """
    for example in examples:
        if not example.targets:
            raise ValueError("an example without any unmasked token reached the batch")
    return {
        "input_ids": pad_rows([e.ids for e in examples], pad),
        "attention_mask": pad_rows([[1] * len(e.ids) for e in examples], 0),
        "labels": pad_rows([e.labels for e in examples], IGNORED),
    }


def pad_rows(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Rows of different lengths as one (B, T) tensor, filled with `value` on the right."""
    out_BT = torch.full((len(rows), max(map(len, rows))), value, dtype=torch.long)
    for row, values in zip(out_BT, rows, strict=True):
        row[: len(values)] = torch.tensor(values, dtype=torch.long)
    return out_BT
