"""Text files of people, opened by what they hold: what the name of a file says is often not so."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ..config import RequestError

_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"\xff\xfe": "UTF-16 or UTF-32; save it again as UTF-8",
    b"\xfe\xff": "UTF-16; save it again as UTF-8",
    b"PAR1": "Parquet; name it .parquet",
    b"ARROW1": "a file of Arrow; save it as Parquet, or as a folder with save_to_disk of datasets",
    b"PK\x03\x04": "a zip archive; unpack it",
    b"BZh": "packed with bzip2; unpack it",
    b"\xfd7zXZ\x00": "packed with xz; unpack it",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it",
    _GZIP: "packed with gzip twice; unpack it once",
    b"version https://git-lfs": "a pointer of git-lfs; fetch the file with: git lfs pull",
}
"""What a file is that begins so, and what to do."""
_LONGEST = max(map(len, _OTHERS))


def name_kind(file: Path) -> str | None:
    """What a file is that is no text, with what to do about it; None where nothing is known against it.

    Raises:
        OSError, EOFError, zlib.error: if it cannot be read.
    """
    start = _read_start(file)
    if start.startswith(_GZIP):
        with gzip.open(file) as unpacked:
            start = unpacked.read(_LONGEST)
    return next((kind for begins, kind in _OTHERS.items() if start.startswith(begins)), None)


def _read_start(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_LONGEST)


@contextmanager
def open_text(key: str, file: Path) -> Iterator[TextIO]:
    """The text of a file, gzip by its first bytes, without a byte order mark.

    Raises:
        RequestError: naming `key` and the file, also from reading on inside.
    """
    try:
        kind = name_kind(file)
        if kind is not None:
            raise RequestError(f"{key}={file}: is no text in UTF-8, but {kind}")
        opener = gzip.open if _read_start(file).startswith(_GZIP) else open
        with opener(file, "rt", encoding="utf-8-sig") as lines:
            yield lines
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise RequestError(
            f"{key}={file}: cannot be read ({error}); it must be text in UTF-8, or gzip of it"
        ) from error


def read_lines(key: str, file: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank with their numbers, from 1.

    Raises:
        RequestError: naming `key` and the file if it is no text.
    """
    with open_text(key, file) as lines:
        for number, line in enumerate(lines, start=1):
            if "\x00" in line:
                raise RequestError(
                    f"{key}={file}: line {number} holds the character NUL, which no text has: it is UTF-16, or was cut "
                    "off; save it again as UTF-8"
                )
            if line.strip():
                yield number, line
