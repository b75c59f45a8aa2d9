"""Files that say whether they are whole: how they are written and read back, and what is done with a damaged one.

Three ways, by what a file is: a JSON object that holds its own checksum (`jsonl.py`: one on each line); a seal, which
is the checksum of all other bytes in a place that the format leaves for words (comments of YAML and HTML, the metadata
of Parquet, the header of safetensors); and formats that have checksums anyway (zip archives of NumPy and torch, PNG).
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

NO_ROOM = os.strerror(errno.ENOSPC)
"""What libraries that are not written in Python say of it."""

LEAST_ROOM = 2**16
"""Bytes: where fewer are left when a file could not be written, that is why."""

CHECKSUM = "checksum"
DIGITS = 16

UNSEALED = f"[topotrace seal {'0' * DIGITS}]"
"""What a file holds where its seal goes, until `seal` writes the checksum in the place of the zeros."""
_SEAL = UNSEALED.partition("0")[0].encode()
_TRACES = _SEAL[:8], _SEAL[8:]
"""A file that holds a part of a seal had one; a file that holds none is of a version that sealed nothing."""


class DamagedError(ValueError):
    """A file is not what was written: cut off, overwritten, gone, or a bit is wrong."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: damaged ({reason})")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[type[DamagedError], tuple[Path, str]]:
        return type(self), (self.path, self.reason)  # it crosses from worker processes


class DiskFullError(RuntimeError):
    """The disk is full: where, what is needed, and what to do."""


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or what it was raised from, is that there is no room left."""
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or NO_ROOM in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to that takes `target`'s place when the block ends well, so that no half-written file stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two workers that make the same file apart; the suffix stays last, writers look at it.
    partial = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield partial
        # Before the name is: after a power cut a name without its content would be a damaged file.
        sync(partial)
        partial.replace(target)
    except Exception as error:
        if not is_disk_full(error) and _has_no_room(target.parent):
            raise OSError(errno.ENOSPC, NO_ROOM, str(target)) from error  # torch and NumPy say something else then
        raise
    finally:
        partial.unlink(missing_ok=True)


def _has_no_room(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < LEAST_ROOM


def sync(path: Path) -> None:
    """Wait until what was written to a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sweep_partial(folder: Path) -> None:
    """Remove what writers that were killed left directly in a folder; whoever calls knows that none is at work."""
    for path in folder.glob(".[0-9]*.*"):
        if re.fullmatch(r"\.\d+\..+", path.name) and path.is_file():
            path.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON object with the checksum of itself; the file appears whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(dump_checked(content), encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote.

    Raises:
        DamagedError: if that is not what is there.
    """
    try:
        content = parse_checked(path.read_bytes())
    except FileNotFoundError as error:
        raise DamagedError(path, "it is gone") from error
    if content is None:
        raise DamagedError(path, "its checksum does not match")
    return content


def dump_checked(content: Mapping[str, Any], place: str = "") -> str:
    """`content` as JSON on one line, behind the checksum of itself and of the place where it stands."""
    text = json.dumps(dict(content))
    head = json.dumps({CHECKSUM: _digest((place + text).encode())})
    return head if text == "{}" else f"{head[:-1]}, {text[1:]}"


def parse_checked(text: bytes, place: str = "") -> dict[str, Any] | None:
    """What `dump_checked` was given; None if that is not what is there."""
    try:
        content: dict[str, Any] = json.loads(text)
        stated = content.pop(CHECKSUM)
        return content if stated == _digest((place + json.dumps(content)).encode()) else None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None


def _digest(content: bytes | bytearray) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def seal(path: Path, length: int | None = None) -> None:
    """Write the checksum of a file's first `length` bytes, or of all, into each place that holds `UNSEALED`."""
    with path.open("rb+") as file:
        content = file.read(length)
        digest = _digest(content).encode()
        for found in re.finditer(re.escape(UNSEALED.encode()), content):
            file.seek(found.start() + len(_SEAL))
            file.write(digest)


def write_sealed(path: Path, text: str, comment: str) -> None:
    """A text with its seal in comments at both ends: what is cut off or overwritten spares one of them.

    Args:
        comment: how the file's format writes one, with `{}` for the words.
    """
    mark = comment.format(UNSEALED)
    with replacing(path) as partial:
        partial.write_text(f"{mark}\n{text.rstrip()}\n{mark}\n", encoding="utf-8")
        seal(partial)


def write_page(path: Path, page: str) -> None:
    """A page of HTML, sealed."""
    write_sealed(path, page, "<!-- {} -->")


def check_seal(path: Path, content: bytes) -> bool:
    """Whether a version that seals its files wrote `content`, the bytes of `path` that were sealed.

    Raises:
        DamagedError: if they are not what was written.
    """
    if not content.strip(b"\0 \n"):
        raise DamagedError(path, "it is empty")
    places = [found.end() for found in re.finditer(re.escape(_SEAL), content)]
    if not places and not any(trace in content for trace in _TRACES):
        return False
    blank = bytearray(content)
    for place in places:
        blank[place : place + DIGITS] = b"0" * DIGITS
    if {content[place : place + DIGITS] for place in places} != {_digest(blank).encode()}:
        raise DamagedError(path, "its checksum does not match")
    return True


def read_sealed(path: Path) -> bytes:
    """The bytes of a file that was sealed as a whole, or that a version wrote which sealed nothing.

    Raises:
        DamagedError: if they are not what was written.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DamagedError(path, "it is gone") from error
    check_seal(path, content)
    return content


def is_whole_zip(path: Path) -> bool:
    """Whether a file of NumPy or torch has every byte that was written: both are zip archives, which hold checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (
        zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError, KeyError,
        OverflowError, MemoryError,
    ):  # fmt: skip
        return False


def check_zip(path: Path) -> None:
    """Raises DamagedError if a file of NumPy or torch is not what was written."""
    if not is_whole_zip(path):
        raise DamagedError(path, "its checksum does not match")


def check_file(path: Path) -> None:
    """Raises DamagedError if a file is gone or, of a kind that carries checksums, not what was written; others pass."""
    if not path.exists():
        raise DamagedError(path, "it is gone")
    if path.suffix in (".yaml", ".parquet", ".html"):
        read_sealed(path)
    elif path.suffix == ".npz":
        check_zip(path)
    elif path.suffix == ".png" and not _is_whole_png(path.read_bytes()):
        raise DamagedError(path, "its checksum does not match")


def _is_whole_png(content: bytes) -> bool:
    """Whether each chunk of a PNG has the checksum that it states, up to the last one."""
    place = 8
    while content[:place].startswith(b"\x89PNG") and place + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + size
        if content[end : end + 4] != zlib.crc32(content[place + 4 : end]).to_bytes(4, "big"):
            return False
        if kind == b"IEND":
            return True
        place = end + 4
    return False


def set_aside(path: Path, reason: str) -> None:
    """Rename a damaged file, so that it is made again and can still be looked at."""
    kept = path.with_name(f"{path.name}.damaged")
    path.replace(kept)
    logger.warning("%s: damaged (%s); kept as %s and made again", path, reason, kept.name)
