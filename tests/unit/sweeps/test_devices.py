"""Each cell has its share of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from src.sweeps.devices import Machine, split_cores
from tests.support.processes import ENVIRONMENT

SHARE = """
import os, sys
from pathlib import Path
from src.sweeps.devices import Machine, reserve_devices
gpus, folder = sys.argv[1:]
reserve_devices(Machine(tuple(gpus.split()), tuple(sorted(os.sched_getaffinity(0)))), 2, Path(folder))
print(os.environ.get("CUDA_VISIBLE_DEVICES"), *sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.read()
"""


def test_each_process_has_a_gpu_and_cores_of_its_own_and_a_third_one_waits(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SHARE, "GPU-a GPU-b", str(tmp_path)]
    started = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        for _ in range(2)
    ]
    shares = sorted(process.stdout.readline().split() for process in started if process.stdout)
    cores = sorted(os.sched_getaffinity(0))
    assert shares == [[f"GPU-{'ab'[n]}", *map(str, split_cores(tuple(cores), n, 2))] for n in range(2)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as third:  # fmt: skip
        started[0].kill()
        out, _ = third.communicate(timeout=60)
    assert out.split() in shares
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("cores", "parts", "expected"),
    [(8, 2, [(0, 1, 2, 3), (4, 5, 6, 7)]), (3, 2, [(0,), (1,)]), (2, 3, [(0,), (1,), (0,)])],
)
def test_cores_are_parted_evenly(cores: int, parts: int, expected: list[tuple[int, ...]]) -> None:
    assert [split_cores(tuple(range(cores)), n, parts) for n in range(parts)] == expected


@pytest.mark.parametrize(
    ("visible", "cores", "cells"), [("0,1,2", 64, 3), ("", 64, 32), ("", 2, 2), ("", 1, 1), ("GPU-x", 2, 1)]
)
def test_as_many_cells_at_once_as_gpus_else_one_for_two_cores(visible: str, cores: int, cells: int) -> None:
    gpus = Machine.detect(visible).gpus
    assert Machine(gpus, tuple(range(cores))).default_parallelism == cells
