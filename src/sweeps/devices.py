"""What a cell gets of a machine on which several run at once: a GPU, or some of the cores."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from ..system.machine import usable_cores


@dataclass(frozen=True)
class Machine:
    gpus: tuple[str, ...]
    """As CUDA_VISIBLE_DEVICES names them."""
    cores: tuple[int, ...]

    @classmethod
    def detect(cls, visible: str | None) -> Machine:
        """What this process may use; `visible` is CUDA_VISIBLE_DEVICES."""
        gpus = _installed_gpus() if visible is None else tuple(name for name in visible.split(",") if name)
        return cls(gpus, usable_cores())

    @property
    def default_parallelism(self) -> int:
        """Cells that run at once by default: one a GPU, else one on two cores, since a cell trains and measures."""
        return len(self.gpus) or min(len(self.cores), max(2, len(self.cores) // 2))


def _installed_gpus() -> tuple[str, ...]:
    if not shutil.which("nvidia-smi"):
        return ()
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout.splitlines()
    return tuple(str(n) for n, _ in enumerate(line for line in listed if line.startswith("GPU ")))


def cells_at_once() -> int:
    """The default of `hydra.launcher.n_jobs`."""
    return Machine.detect(os.environ.get("CUDA_VISIBLE_DEVICES")).default_parallelism


OmegaConf.register_new_resolver("cells_at_once", cells_at_once, replace=True)  # by the import: in every cell's process

_reserved: list[FileLock] = []
"""The share of this process, which keeps it: CUDA, once started, stays with its GPU."""


def reserve_devices(machine: Machine, cells: int, folder: Path) -> None:
    """Wait until one of `cells` shares is free and confine this process, and those that it starts, to it.

    To be called before anything starts threads or CUDA.

    Args:
        machine: what there is to be shared.
        cells: in how many parts.
        folder: holds a lock for each part; a process that dies lets go of it.
    """
    if _reserved:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.cycle(range(cells)):
        lock = FileLock(folder / f"{number}.lock")
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            time.sleep(1 / cells)
    _reserved.append(lock)
    if machine.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = machine.gpus[number % len(machine.gpus)]
    if sys.platform == "linux":
        os.sched_setaffinity(0, split_cores(machine.cores, number, cells))


def split_cores(cores: tuple[int, ...], number: int, parts: int) -> tuple[int, ...]:
    """The `number`-th of `parts` equal parts of the cores, neighbours together; one each where there are too few."""
    size = len(cores) // parts
    return cores[number * size : (number + 1) * size] or (cores[number % len(cores)],)
