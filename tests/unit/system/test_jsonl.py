"""Lines that are appended, lines that were cut off, and lines that are not what was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src.system.files import DamagedError
from src.system.jsonl import append_jsonl, check_jsonl, read_jsonl


def write(path: Path, *entries: dict[str, object]) -> bytes:
    for entry in entries:
        append_jsonl(path, entry)
    return path.read_bytes()


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    append_jsonl(path, {"a": 1})
    with path.open("a") as file:
        file.write('{"b": ')
    assert [entry for entry, _ in read_jsonl(path)] == [{"a": 1}]
    append_jsonl(path, {"c": 3})
    assert [entry for entry, _ in read_jsonl(path)] == [{"a": 1}, {"c": 3}]
    offset = next(read_jsonl(path))[1]
    assert [entry for entry, _ in read_jsonl(path, offset)] == [{"c": 3}]


def test_a_file_of_half_a_long_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"x" * 200_000)
    write(path, {"a": 1})
    assert [entry for entry, _ in read_jsonl(path)] == [{"a": 1}]


def test_every_flipped_bit_gives_other_numbers_never(tmp_path: Path) -> None:
    path, entries = tmp_path / "metrics.jsonl", [{"step": n, "metrics": {"loss": 0.5 + n}} for n in range(3)]
    whole = write(path, *entries)
    for place in range(len(whole)):
        for bit in (0, 5):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            with pytest.raises(DamagedError, match=r"metrics\.jsonl: damaged"):
                check_jsonl(path, len(whole))


def test_a_line_that_is_gone_shows(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    whole = write(path, {"step": 1}, {"step": 2}, {"step": 3})
    first, second, third = whole.splitlines(keepends=True)
    for left in (second + third, first + third, first + third + second):
        path.write_bytes(left)
        with pytest.raises(DamagedError):
            check_jsonl(path)
    for left in (first + second, b""):
        path.write_bytes(left)
        check_jsonl(path)
        with pytest.raises(DamagedError, match="bytes were written"):
            check_jsonl(path, len(whole))


def test_lines_of_a_version_without_checksums_are_read_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps({"step": 1}) + '\n{"step": 2, "tim\n' + json.dumps({"step": 3}) + "\n")
    assert [entry["step"] for entry, _ in read_jsonl(path)] == [1, 3]
    whole = write(path, {"step": 4}, {"step": 5})
    assert [entry["step"] for entry, _ in read_jsonl(path)] == [1, 3, 4, 5]
    for word in (b'"step": 4', b'"step": 5'):
        path.write_bytes(whole.replace(word, word[:-1] + b"9"))
        with pytest.raises(DamagedError):
            check_jsonl(path)
