"""A small disk of its own for a test, and filling it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BLOCK = 4096


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """A disk at `folder` as long as the block lasts; False where none can be had, as only an administrator can."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder]
    made = subprocess.run(words, capture_output=True).returncode == 0
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill a disk but for `leave` bytes; returns the file that does."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(BLOCK))
    with filler.open("rb+") as file:
        file.truncate(max(0, filler.stat().st_size - leave))
    return filler
