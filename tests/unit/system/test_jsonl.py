"""Lines that are appended, and lines that were cut off."""

from __future__ import annotations

from pathlib import Path

from src.system.jsonl import append_jsonl, read_jsonl


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
