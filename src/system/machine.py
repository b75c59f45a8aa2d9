"""How much memory this machine has, and how many cores."""

from __future__ import annotations

import math
import os
import resource
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


def describe_bytes(amount: float) -> str:
    """An amount of memory or disk in the unit that leaves digits to it: 3.2 GiB, 41 MB."""
    return f"{amount / GIB:.1f} GiB" if amount >= GIB else f"{max(amount, 0) / 1e6:.0f} MB"


def free_memory_gb() -> float:
    """GiB that a process can have without taking them from another; where nobody says, all of the machine's."""
    known = Path("/proc/meminfo")
    lines = known.read_text().splitlines() if known.is_file() else []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    free = kilobytes[0] * 1024 / GIB if kilobytes else machine_memory_gb()
    return min(free, _free_in_group())


def _free_in_group() -> float:
    """GiB that the control group which confines the process leaves; the cache of files gives way, so it is free."""
    group = Path("/sys/fs/cgroup")
    limit, used = group / "memory.max", group / "memory.current"
    if not (limit.is_file() and used.is_file() and (text := limit.read_text().strip()).isdigit()):
        return math.inf
    statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return (int(text) - int(used.read_text()) + int(statistics.get("inactive_file", 0))) / GIB


def address_space_gb() -> float:
    """GiB of addresses that a process may have (`ulimit -v`); infinite without a limit."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if limit == resource.RLIM_INFINITY else limit / GIB


def used_address_space_gb() -> float:
    """GiB of addresses that this process has; 0 where nobody says."""
    known = Path("/proc/self/statm")
    return int(known.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") / GIB if known.is_file() else 0.0


def usable_cores() -> tuple[int, ...]:
    """The cores that this process is confined to."""
    if sys.platform == "linux":
        return tuple(sorted(os.sched_getaffinity(0)))
    else:  # noqa: RET505 (mypy takes what follows a test of the platform for dead)
        return tuple(range(os.cpu_count() or 1))
