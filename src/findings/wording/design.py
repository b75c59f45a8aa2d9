"""Words for how labels are permuted, to stand in a sentence."""

from __future__ import annotations

from ...system.words import count_of


def describe_within_seeds(seeds: int) -> str:
    """That labels change places only between the runs of a seed."""
    return f"permuted within {count_of(seeds, 'seed')}"


def describe_free(runs: int, reason: str) -> str:
    """That labels change places between all runs, and why."""
    return f"permuted freely over {runs} runs, because {reason}"


def describe_no_seeds() -> str:
    """That the seeds of the runs are not known."""
    return "their seeds are not given"


def describe_own_seeds() -> str:
    """That each run has a seed of its own."""
    return "no two of them have the same seed"


def describe_uneven_seed(group: str, seed: int, runs: int) -> str:
    """That a group has none or several runs of a seed."""
    return f"{group} has {count_of(runs, 'run') if runs else 'no run'} of seed {seed}"
