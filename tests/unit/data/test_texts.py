"""Text files are opened by what they hold, and what is no text is named with what to do."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from src.config import RequestError
from src.data.texts import read_lines


def gzipped(content: bytes) -> bytes:
    """The same bytes in every process: without the time, which names a test."""
    return gzip.compress(content, mtime=0)


TEXT = "One?\n\nTwo? é\n"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize("content", [TEXT.encode(), ("\ufeff" + TEXT).encode(), gzipped(TEXT.encode())])
def test_a_name_says_nothing(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert list(read_lines("key", tmp_path / name)) == [(1, "One?\n"), (3, "Two? é\n")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.encode("utf-16"), "but UTF-16 or UTF-32; save it again as UTF-8"),
        (TEXT.encode("utf-32"), "save it again as UTF-8"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "but UTF-16; save"), ("One?".encode("utf-16-le"), "line 1 .* NUL"),
        (TEXT.encode() + b"\0" * 9, "line 4 holds the character NUL"), (TEXT.encode("latin-1"), "cannot be read"),
        (b"PAR1" + b"x" * 9, "name it .parquet"), (b"PK\x03\x04" + b"x" * 9, "a zip archive; unpack it"),
        (b"BZh91AY", "bzip2"), (gzipped(gzipped(TEXT.encode())), "gzip twice"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (gzipped(TEXT.encode()) + b"more", "cannot be read"),
        (gzipped(TEXT.encode())[:-4], "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(RequestError, match=rf"^key=\S+/a\.txt: .*{message}"):
        list(read_lines("key", tmp_path / "a.txt"))
