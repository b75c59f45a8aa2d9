"""In how many ways runs could have come to their labels, and the smallest p that so many ways allow."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from . import ALPHA

MAX_EXACT = 10_000
"""From so many arrangements on, not all of them are gone through."""
DRAWS = 9_999


def count_members(labels: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """(B, G) how many of each block belong to each group, from (n,) integers from 0 of both."""
    counts = np.zeros((blocks.max() + 1, labels.max() + 1), dtype=int)
    np.add.at(counts, (blocks, labels), 1)
    return counts


def count_arrangements(counts: np.ndarray) -> int:
    """Distinct ways to divide runs into groups, each block on its own; only the division counts, not its names.

    The groups that have as many runs as each other in every block can change names. Of G groups with one run in each of
    B blocks there are G! ** (B - 1) arrangements; all runs in one block are divided freely.

    Args:
        counts: (B, G) runs in each block and group, at least one in each group.
    """
    ways = math.prod(math.factorial(sum(row)) // math.prod(map(math.factorial, row)) for row in counts.tolist())
    renamings = math.prod(map(math.factorial, Counter(map(tuple, counts.T.tolist())).values()))
    return ways // renamings


def permutations(labels: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """All distinct arrangements where there are fewer than 10,000, else the observed one and 9,999 random ones.

    Args:
        labels: (n,) integers from 0.
        blocks: (n,) integers from 0; labels change places only within their block.

    Returns:
        (P, n) labels; the observed arrangement is among them, so that the share of rows at least as extreme is a p.
    """
    counts = count_members(labels, blocks)
    if count_arrangements(counts) < MAX_EXACT:
        return np.array(list(_divide(np.full(len(labels), -1), blocks, counts)))
    # Sorted by block, and at random within it.
    orders = np.argsort(np.random.default_rng(0).random((DRAWS, len(labels))) + blocks, axis=1)
    drawn = np.empty_like(orders)
    drawn[:, np.argsort(blocks, kind="stable")] = labels[orders]
    return np.vstack([labels, drawn])


def _divide(labels: np.ndarray, blocks: np.ndarray, free: np.ndarray) -> Iterator[np.ndarray]:
    """Fill the first unlabelled place with every group that has room; of equal untouched groups, only with one."""
    place = int((labels >= 0).sum())
    if place == len(labels):
        yield labels.copy()
        return
    untouched = set()
    for group in np.flatnonzero(free[blocks[place]]):
        if group not in labels:
            room = tuple(free[:, group])
            if room in untouched:
                continue
            untouched.add(room)
        labels[place] = group
        free[blocks[place], group] -= 1
        yield from _divide(labels, blocks, free)
        free[blocks[place], group] += 1
        labels[place] = -1


def flip_signs(count: int) -> np.ndarray:
    """(P, count) signs: all 2 ** count where these are fewer than 10,000, else none flipped and 9,999 random ones."""
    if 2**count < MAX_EXACT:
        return np.where(np.arange(2**count)[:, None] >> np.arange(count) & 1, -1.0, 1.0)
    drawn = np.random.default_rng(0).choice([-1.0, 1.0], size=(DRAWS, count))
    return np.vstack([np.ones(count), drawn])


def seeds_needed(groups: int, level: float = ALPHA) -> int:
    """Seeds, each with one run of each of so many groups, from which on a p below the level exists within seeds."""
    return _first_below(level, lambda seeds: np.ones((seeds, groups), dtype=int))


def runs_needed(groups: int, level: float = ALPHA) -> int:
    """Runs in each of so many groups from which on a p below the level exists if they are divided freely."""
    return _first_below(level, lambda runs: np.full((1, groups), runs))


def _first_below(level: float, design: Callable[[int], np.ndarray]) -> int:
    return next(size for size in itertools.count(2) if 1 / count_arrangements(design(size)) < level)


def pairs_needed(level: float = ALPHA) -> int:
    """Pairs from which on a two-sided sign-flip p below the level exists: flipping all or none are alike."""
    return math.floor(math.log2(2 / level)) + 1
