"""Sentences about runs that cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence

DIFFERENT_RUNS = "runs that differ in anything that all of them have"
SHARED_STEPS = "a checkpoint that all runs share"
"""What a comparison takes, to stand after "missing"."""
LISTED_STEPS = 4
LISTED_SCHEDULES = 3


def describe_missing_shape(tables: Sequence[int], total: int) -> str:
    """That some tables, by their numbers from 1, have neither drift nor velocity."""
    return (
        f"No drift or velocity of H0 or H1 in table {', '.join(map(str, tables))} of {total}: leave out what has none "
        "(tda=none)."
    )


def describe_disjoint_steps(steps: Sequence[Sequence[int]]) -> str:
    """That the runs, given by their steps, share none; with the first steps of some of the schedules."""
    schedules = sorted({", ".join(map(str, run_steps[:LISTED_STEPS])) for run_steps in steps})
    return (
        f"No checkpoint is shared by all {len(steps)} runs (their first steps: "
        f"{'; '.join(schedules[:LISTED_SCHEDULES])}): compare runs of one schedule and one trainer.max_steps."
    )


def describe_alike_runs() -> str:
    """That there is nothing to compare runs by."""
    return "The runs do not differ in anything that all of them have."
