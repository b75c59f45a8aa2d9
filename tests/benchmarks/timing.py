"""Paired timing: ways to do one thing, taking turns in one process, so that a noisy machine treats them alike."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def use_one_core() -> None:
    """For benchmarks of one core; call it before numpy is imported."""
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def take_turns(ways: Mapping[str, Callable[[], object]], rounds: int = 5) -> dict[str, list[float]]:
    """Seconds of each way in each round, after one round that warms up; the order alternates."""
    for work in ways.values():
        work()
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds):
        for way in list(ways) if turn % 2 else list(reversed(ways)):
            taken[way].append(seconds(ways[way]))
    return taken


def ratio(taken: Mapping[str, list[float]], way: str, to: str) -> float:
    """How many times as long as `to` a way took: the median over the rounds."""
    return statistics.median(a / b for a, b in zip(taken[way], taken[to], strict=True))


def print_row(name: str, taken: Mapping[str, list[float]], ours: str) -> None:
    """One line: the median of ours, and of every other way how many times as long it took."""
    others = "  ".join(f"{way} {ratio(taken, way, ours):6.2f} x" for way in taken if way != ours)
    print(f"{name:>28}  {ours} {1000 * statistics.median(taken[ours]):8.2f} ms   {others}", flush=True)
