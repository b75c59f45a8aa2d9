"""In how many ways runs could have come to their labels, and the smallest p that so many ways allow."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from . import ALPHA

MAX_EXACT = 10_000
"""From so many arrangements on, not all of them are gone through."""
DRAWS = 9_999


def count_arrangements(sizes: Sequence[int]) -> int:
    """Distinct ways to divide runs into groups of these sizes; groups of one size may change names, not more."""
    ways = math.factorial(sum(sizes))
    for size in sizes:
        ways //= math.factorial(size)
    for alike in Counter(sizes).values():
        ways //= math.factorial(alike)
    return ways


def permutations(labels: np.ndarray) -> np.ndarray:
    """All distinct arrangements where there are fewer than 10,000, else the observed one and 9,999 random ones.

    Args:
        labels: (n,) integers from 0.

    Returns:
        (P, n) labels; the observed arrangement is among them, so that the share of rows at least as extreme is a p.
    """
    sizes = np.bincount(labels)
    if count_arrangements(sizes.tolist()) < MAX_EXACT:
        return np.array(list(_divide(np.full(len(labels), -1), sizes.tolist())))
    rng = np.random.default_rng(0)
    return np.vstack([labels, *(rng.permutation(labels) for _ in range(DRAWS))])


def _divide(labels: np.ndarray, free: list[int]) -> Iterator[np.ndarray]:
    """Fill the first unlabelled place with every group that has room; of equal untouched groups, only with one."""
    place = int((labels >= 0).sum())
    if place == len(labels):
        yield labels.copy()
        return
    untouched = set()
    for group, room in enumerate(free):
        if room == 0 or (group not in labels and room in untouched):
            continue
        if group not in labels:
            untouched.add(room)
        labels[place], free[group] = group, room - 1
        yield from _divide(labels, free)
        labels[place], free[group] = -1, room


def flip_signs(count: int) -> np.ndarray:
    """(P, count) signs: all 2 ** count where these are fewer than 10,000, else none flipped and 9,999 random ones."""
    if 2**count < MAX_EXACT:
        return np.where(np.arange(2**count)[:, None] >> np.arange(count) & 1, -1.0, 1.0)
    drawn = np.random.default_rng(0).choice([-1.0, 1.0], size=(DRAWS, count))
    return np.vstack([np.ones(count), drawn])


def seeds_needed(groups: int, level: float = ALPHA) -> int:
    """Runs in each of so many groups from which on a p below the level exists."""
    count = 2
    while 1 / count_arrangements([count] * groups) >= level:
        count += 1
    return count


def pairs_needed(level: float = ALPHA) -> int:
    """Pairs from which on a two-sided sign-flip p below the level exists: flipping all or none are alike."""
    return math.floor(math.log2(2 / level)) + 1
