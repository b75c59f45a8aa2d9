"""The order of training and its batches.

Shapes: B rows of a forward pass, T tokens of a row, K positions that logits are made at, M labelled tokens.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from .labels import IGNORED, Example

Pick = tuple[str, int]
"""A source and the number of a dialogue in it."""
Span = tuple[int, int]
"""The first token of a dialogue in a row, and the one behind its last."""
Batch = dict[str, Any]
"""What a forward pass takes (`input_ids` and what stands beside it), and of its labelled tokens, dialogue by dialogue:
`next` (M,), the tokens themselves; `dialogue` (M,), whose they are; `keep` (K,), the positions that logits are made at;
`place` (M,), which of these (B x K) logits is theirs, where there are others. `tokens`, how many are no padding, in
all processes that train together."""


ORDER = 2
"""Raised where the same seed gives another order of training: a run that was begun before cannot be gone on with."""


def order_batches(
    sizes: Mapping[str, int], weights: Mapping[str, float], batch_size: int, steps: int, seed: int
) -> list[list[Pick]]:
    """The dialogues of every optimizer step, a plain random sample and a function of the seed alone.

    Sources take turns in proportion to their weights; each is passed through in full before one of its dialogues
    comes again.

    Args:
        sizes: dialogues of each source.
        weights: share of each source; need not add up to 1.
    """
    stream = _stream(sizes, {s: w for s, w in weights.items() if w > 0}, random.Random(f"order-{seed}"))
    return [[next(stream) for _ in range(batch_size)] for _ in range(steps)]


def _stream(sizes: Mapping[str, int], weights: dict[str, float], rng: random.Random) -> Iterator[Pick]:
    waiting: dict[str, list[int]] = {source: [] for source in weights}
    given = dict.fromkeys(weights, 0)
    while True:
        # The source that is furthest behind its share; exact proportions instead of a draw.
        source = min(weights, key=lambda s: (given[s] + 1) / weights[s])
        if not waiting[source]:
            waiting[source] = list(range(sizes[source]))
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


@dataclass(frozen=True)
class Layout:
    """How the dialogues of a forward pass lie: end to end in one row, or each in a padded row of its own."""

    pad: int
    packed: bool = False
    multiple: int = 1
    """Packed rows are filled up to a multiple of so many tokens, so that on an accelerator shapes repeat."""

    def __call__(self, examples: Sequence[Example]) -> Batch:
        laid = pack(examples, self.pad, self.multiple) if self.packed else collate(examples, self.pad)
        return laid | {"tokens": sum(len(example.ids) for example in examples)}


class TrainingStream(IterableDataset[Batch]):
    """Micro-batches, step after step; `weight` makes them add up to the mean over all tokens of the step.

    Processes that train together take turns at the micro-batches, and their gradients are averaged.
    """

    def __init__(
        self, batches: list[list[Pick]], encode: Callable[[Pick], Example], micro: int, layout: Layout
    ) -> None:  # fmt: skip
        self.batches, self.encode, self.micro, self.layout = batches, encode, micro, layout
        self.start = 0
        """The optimizer step that the next pass begins with."""
        self.rank, self.world = 0, 1
        """Which process this is, and of how many."""

    def __iter__(self) -> Iterator[Batch]:
        for picks in self.batches[self.start :]:
            examples = [self.encode(pick) for pick in picks]
            micro = min(self.micro, len(examples) // self.world)
            parts = [examples[i : i + micro] for i in range(0, len(examples), micro)]
            targets = sum(example.targets for example in examples)
            for turn in (parts[i : i + self.world] for i in range(0, len(parts), self.world)):
                tokens = sum(len(example.ids) for part in turn for example in part)
                # The trainer divides by the number of micro-batches, and the processes by theirs; a mean of means would
                # overweigh short replies.
                yield self.layout(turn[self.rank]) | {"weight": len(parts) / targets, "tokens": tokens}


def pack(examples: Sequence[Example], pad: int, multiple: int = 1) -> Batch:
    """The dialogues in one row, each counting its own positions; `spans` says where they lie.

    What fills the row up is a dialogue by itself, without labels.
    """
    rows = [example.ids for example in examples]
    if missing := -sum(map(len, rows)) % multiple:
        rows.append([pad] * missing)
    spans = tuple(pairwise(accumulate(map(len, rows), initial=0)))
    targets = [_targets(example) for example in examples]
    return {
        "input_ids": torch.tensor([[token for row in rows for token in row]]),
        "position_ids": torch.cat([torch.arange(len(row)) for row in rows])[None],
        "spans": spans,
        "keep": torch.cat([positions + start for (positions, _), (start, _) in zip(targets, spans, strict=False)]),
        **_labelled(targets),
    }


def collate(examples: Sequence[Example], pad: int) -> Batch:
    """`input_ids`, `attention_mask` (B, T), padded on the right."""
    targets = [_targets(example) for example in examples]
    keep_K = torch.unique(torch.cat([positions for positions, _ in targets]))
    place_M = torch.cat([row * len(keep_K) + torch.searchsorted(keep_K, p) for row, (p, _) in enumerate(targets)])
    return {
        "input_ids": pad_rows([e.ids for e in examples], pad),
        "attention_mask": pad_rows([[1] * len(e.ids) for e in examples], 0),
        "keep": keep_K,
        "place": place_M,
        **_labelled(targets),
    }


def _targets(example: Example) -> tuple[Tensor, Tensor]:
    """The positions whose next token is labelled, and these tokens.

    Raises:
        ValueError: if there is none, a silent mistake of the loss mask.
    """
    if not example.targets:
        raise ValueError("an example without any unmasked token reached the batch")
    next_T = torch.tensor(example.labels[1:], dtype=torch.long)
    positions = (next_T != IGNORED).nonzero().squeeze(1)
    return positions, next_T[positions]


def _labelled(targets: Sequence[tuple[Tensor, Tensor]]) -> Batch:
    counts = torch.tensor([len(tokens) for _, tokens in targets])
    return {
        "next": torch.cat([tokens for _, tokens in targets]),
        "dialogue": torch.arange(len(targets)).repeat_interleave(counts),
    }


def pad_rows(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Rows of different lengths as one (B, T) tensor, filled with `value` on the right."""
    out_BT = torch.full((len(rows), max(map(len, rows))), value, dtype=torch.long)
    for row, values in zip(out_BT, rows, strict=True):
        row[: len(values)] = torch.tensor(values, dtype=torch.long)
    return out_BT
