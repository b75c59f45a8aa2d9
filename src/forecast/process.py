"""The memory of this process, and what a computation in it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

STORE = 1.2e8
"""Bytes of a run's tracking and of MLflow's client at work, as measured."""
STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def process_bytes(is_elsewhere: bool) -> float:
    """Of a run beside its model, once this process has read and imported what a run does.

    Args:
        is_elsewhere: whether the model has a memory of its own, an accelerator's: then 0.
    """
    return 0.0 if is_elsewhere or not STATUS.is_file() else _read("VmRSS") + STORE


@contextmanager
def watch_memory(device: torch.device) -> Iterator[list[float]]:
    """Afterwards the list holds the bytes that were taken at most inside, or nothing where nobody says."""
    taken: list[float] = []
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = float(torch.cuda.memory_allocated(device))
        yield taken
        taken.append(torch.cuda.max_memory_allocated(device) - before)
        return
    try:
        FORGET.write_text("5")  # the highest so far is what it is now
        before = _read("VmRSS")
    except OSError:
        yield taken
        return
    yield taken
    taken.append(_read("VmHWM") - before)


def _read(name: str) -> float:
    """A figure of this process, bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return float(line.split()[1]) * 1024
