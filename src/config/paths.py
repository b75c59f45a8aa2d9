"""Paths of a request, looked at without an error: what no disk can hold is not there."""

from __future__ import annotations

from pathlib import Path

MAX_PART, MAX_PATH = 255, 4096
"""Bytes of a part of a path, and of a path, that a file system takes."""


def expand(path: str) -> Path:
    """The path with `~` replaced, where there is such a home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_folder(path: str | Path) -> bool:
    try:
        return expand(str(path)).is_dir()
    except OSError:  # too long
        return False


def is_file(path: str | Path) -> bool:
    try:
        return expand(str(path)).is_file()
    except OSError:
        return False


def fits_disk(path: str) -> bool:
    parts = [len(part.encode(errors="replace")) for part in Path(path).parts]
    return max(parts, default=0) <= MAX_PART and len(path.encode(errors="replace")) <= MAX_PATH
