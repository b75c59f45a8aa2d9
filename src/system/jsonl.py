"""Files of one JSON object a line, appended to by a process that may be killed at any moment.

Each line holds the checksum of itself and of the byte at which it begins, so that a line which is gone shows in those
behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from .files import CHECKSUM, DamagedError, dump_checked, parse_checked

Entry = dict[str, Any]

_HEAD = f'{{"{CHECKSUM}": "'.encode()
BLOCK = 2**16


def append_jsonl(path: Path, entry: Mapping[str, Any]) -> None:
    """Add one line, in the place of the half that a killed process left of one.

    Raises:
        OSError: if it cannot be written; then nothing of it stays.
    """
    with path.open("ab+") as file:
        end = _end_of_lines(file)
        file.truncate(end)
        try:
            file.write(dump_checked(entry, _place(end)).encode() + b"\n")
            file.flush()
        except OSError:
            file.truncate(end)
            raise


def _place(start: int) -> str:
    return f"{start} "


def _end_of_lines(file: BinaryIO) -> int:
    """Bytes up to the last end of a line."""
    end = file.seek(0, 2)
    while end:
        start = max(0, end - BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def read_jsonl(path: Path, offset: int = 0) -> Iterator[tuple[Entry, int]]:
    """The entries behind `offset` bytes, each with the offset behind itself; a half-written last line is left out.

    A file that an earlier version began has lines without checksums, and among them halves of lines: they are taken as
    they are, up to the first line with a checksum.

    Raises:
        DamagedError: at a line that is not what was written.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        unchecked = _parse_unchecked(file.readline()) is not None
        file.seek(offset)
        for line in file:
            start, offset = offset, offset + len(line)
            if not line.endswith(b"\n"):
                return  # it may be completed yet
            entry = parse_checked(line, _place(start))
            if entry is not None:
                unchecked = False
                yield entry, offset
            elif not unchecked or _had_checksum(line):
                raise DamagedError(path, f"the line at byte {start} is not what was written")
            elif (old := _parse_unchecked(line)) is not None:
                yield old, offset


def _parse_unchecked(line: bytes) -> Entry | None:
    """A line of a version that wrote no checksums; None if it is something else."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and not _had_checksum(line) else None


def _had_checksum(line: bytes) -> bool:
    """Whether a line begins as one with a checksum, but for a few bytes."""
    return sum(a == b for a, b in zip(line, _HEAD, strict=False)) > len(_HEAD) // 2


def check_jsonl(path: Path, at_least: int = 0) -> None:
    """Raises DamagedError if a line is not what was written, or lines within the first `at_least` bytes are gone."""
    end = max((behind for _, behind in read_jsonl(path)), default=0)
    if end < at_least:
        raise DamagedError(path, f"{at_least} bytes were written, {end} of them are there")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0
