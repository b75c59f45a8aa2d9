"""Files of one JSON object a line, appended to by a process that may be killed at any moment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


def append_jsonl(path: Path, entry: Mapping[str, Any]) -> None:
    """Add one line. After half a line, which is what a killed process leaves, a new one begins."""
    with path.open("ab+") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 1))
        mend = b"\n" if file.read(1) not in (b"", b"\n") else b""
        file.write(mend + json.dumps(entry).encode() + b"\n")


def read_jsonl(path: Path, offset: int = 0) -> Iterator[tuple[Entry, int]]:
    """The entries behind `offset` bytes, each with the offset behind itself; half-written lines are left out."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            offset += len(line)
            if not line.endswith(b"\n"):
                return  # it may be completed yet
            try:
                yield json.loads(line), offset
            except ValueError:
                continue  # a process was killed here
