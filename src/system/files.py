"""Files that say whether they are whole: a checksum inside, and what is done with one that does not match."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

CHECKSUM = "checksum"


class DamagedError(ValueError):
    """A file is not what was written: cut off, overwritten, or a bit is wrong."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: damaged ({reason})")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[type[DamagedError], tuple[Path, str]]:
        return type(self), (self.path, self.reason)  # it crosses from worker processes


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to that takes `target`'s place when the block ends well, so that no half-written file stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two workers that make the same file apart; the suffix stays last, writers look at it.
    partial = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON object with the checksum of itself; the file appears whole or not at all."""
    text = json.dumps(dict(content))
    with replacing(path) as partial:
        partial.write_text(json.dumps({CHECKSUM: _checksum(text)})[:-1] + ", " + text[1:])


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote.

    Raises:
        DamagedError: if that is not what is there.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stated = content.pop(CHECKSUM)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise DamagedError(path, "no JSON object with a checksum") from error
    if stated != _checksum(json.dumps(content)):
        raise DamagedError(path, "its checksum does not match")
    return content


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_whole_zip(path: Path) -> bool:
    """Whether a file of NumPy or torch has every byte that was written: both are zip archives, which hold checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
        return False


def set_aside(path: Path, reason: str) -> None:
    """Rename a damaged file, so that it is made again and can still be looked at."""
    kept = path.with_name(f"{path.name}.damaged")
    path.replace(kept)
    logger.warning("%s: damaged (%s); kept as %s and made again", path, reason, kept.name)
