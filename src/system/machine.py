"""How much memory this machine has, and how many cores."""

from __future__ import annotations

import os
import sys
from pathlib import Path

GIB = 2**30


def machine_memory_gb() -> float:
    """GiB of this machine, or of the control group that confines the process."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    return total / GIB


def usable_cores() -> tuple[int, ...]:
    """The cores that this process is confined to."""
    if sys.platform == "linux":
        return tuple(sorted(os.sched_getaffinity(0)))
    else:  # noqa: RET505 (mypy takes what follows a test of the platform for dead)
        return tuple(range(os.cpu_count() or 1))
