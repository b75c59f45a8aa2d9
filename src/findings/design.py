"""How labels are permuted when runs of different groups are compared: within seeds where the design allows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics.permutations import count_members, runs_needed, seeds_needed
from .wording.design import (
    describe_free,
    describe_no_seeds,
    describe_own_seeds,
    describe_uneven_seed,
    describe_within_seeds,
)


@dataclass(frozen=True)
class Design:
    blocks: np.ndarray
    """(R,) integers from 0, of each run: its seed's place among the seeds, or 0 where labels are permuted freely"""
    within_seeds: bool
    shared_seeds: bool
    """whether any two runs have the same seed"""
    words: str
    """how labels are permuted, and if freely, why"""

    def needed(self, groups: int, level: float) -> int:
        """Seeds with one run of each of so many groups, or, if none are shared, runs of each, that allow such a p."""
        return seeds_needed(groups, level) if self.shared_seeds else runs_needed(groups, level)


def choose_design(labels: np.ndarray, names: Sequence[str], seeds: Sequence[int] | None) -> Design:
    """Within seeds, if every seed has exactly one run of each group; else freely.

    Args:
        labels: (R,) integers from 0, of each run: its group's place among the names.
        names: of the groups.
        seeds: of each run; None if they are not known.
    """
    free = np.zeros(len(labels), dtype=int)
    if seeds is None:
        return Design(free, False, False, describe_free(len(labels), describe_no_seeds()))
    numbers, blocks = np.unique(np.asarray(seeds), return_inverse=True)
    counts = count_members(labels, blocks)
    if (counts.sum(axis=1) == 1).all():
        return Design(free, False, False, describe_free(len(labels), describe_own_seeds()))
    uneven = np.argwhere(counts != 1)
    if not len(uneven):
        return Design(blocks, True, True, describe_within_seeds(len(numbers)))
    seed, group = uneven[0]
    reason = describe_uneven_seed(names[group], int(numbers[seed]), int(counts[seed, group]))
    return Design(free, False, True, describe_free(len(labels), reason))
