"""Rows of files: every container that is read, and what is said of one that cannot be."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from datasets import Dataset, DatasetDict

from src.config import RequestError
from src.data.records import is_saved_dataset, read_rows


def gzipped(content: bytes) -> bytes:
    """The same bytes in every process: without the time, which names a test."""
    return gzip.compress(content, mtime=0)


ROWS = [{"number": n, "text": "é\u2028"} for n in range(3)]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS)


def number_of(row: Any) -> int:
    if row["number"] < 0:
        raise ValueError("below 0")
    return row["number"]


def write_parquet(path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)


@pytest.mark.parametrize(
    ("name", "write", "first"),
    [
        ("a.jsonl", lambda path: path.write_text(LINES), "a.jsonl: line 1"),
        ("a.jsonl", lambda path: path.write_text("\ufeff\n" + LINES), "a.jsonl: line 2"),
        ("a.jsonl", lambda path: path.write_bytes(gzipped(LINES.encode())), "a.jsonl: line 1"),
        ("a.json", lambda path: path.write_text(json.dumps(ROWS, indent=1)), "a.json: entry 1 (line 2)"),
        ("a.jsonl.gz", lambda path: path.write_bytes(gzipped(json.dumps(ROWS).encode())), "entry 1 (line 1)"),
        ("a.parquet", write_parquet, "a.parquet: row 1"),
        ("a", lambda path: Dataset.from_list(ROWS).save_to_disk(path), "a: row 1"),
        ("a", lambda path: DatasetDict(train=Dataset.from_list(ROWS)).save_to_disk(path), "a: train row 1"),
    ],
)
def test_every_container_is_read(name: str, write: Callable[[Path], Any], first: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    found = read_rows("key", tmp_path / name, number_of)
    assert [number for number, _ in found] == [0, 1, 2]
    assert found[0][1].endswith(first)
    assert is_saved_dataset(tmp_path / name) == (tmp_path / name).is_dir()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"number": 1}\n{"number"', r"key=.*/a\.jsonl: line 2 cannot be used \(ends in"),
        ("a.jsonl", b'{"text": 1}', r"line 1 cannot be used \(no 'number'\); mend or remove it; so"),
        ("a.jsonl", b'{"number": -1}\n' * 7 + b'{"number": 1}', r"line 1 cannot .*, nor line 2 \(below 0\), .*"
            r"line 5 \(below 0\); 7 of 8 in all; mend or remove them"),
        ("a.jsonl", b"[" * 100_000, "nested too deeply"),
        ("a.jsonl", b'{"number": ' + b"[" * 100_000, r"line 1 .*nested too deeply"),
        ("a.json", b'[{"number": 1},\n{"number": -1}]', r"entry 2 \(line 2\) cannot be used \(below 0\)"),
        ("a.json", b'[{"number": 1} {"number": 1}]', "no comma"), ("a.json", b'[{"number": 1},]', "entry 2"),
        ("a.json", b"[1, 2", "entry 1"), ("a.json", b'{"number": ' + b"1" * 5000 + b"}", "line 1"),
        ("a.jsonl", b'{"number": 1}, \n', r"no JSON: Extra data at character 14: ', \\n'; give one value a line"),
        ("a.jsonl", b'{\n"number": 1}', r"line 1 cannot be used \(ends in the midst of a value; give one value a line"),
        ("a.json", b'[{"number": 1}]\n\n[{"number": 2}]', r"line 3 cannot be used \(something stands behind the end"),
        ("a.json", b"[] x", "behind the end of the array"),
        ("a.jsonl", b'{"number": 1, "number": 2}', r"'number' is there twice in one object"),
        ("a.json", b'[{"a": {"number": 1, "number": 1}}]', r"entry 1 .*'number' is there twice in one object"),
        ("a.jsonl.gz", gzipped(LINES.encode())[:-9], "cannot be read"),
        ("a.jsonl.gz", gzipped(LINES.encode() * 99)[:40] + b"\xff" * 99, "cannot be read"),
        ("a.parquet", b"no table", "no Parquet"), ("a.parquet", b"version https://git-lfs.github", "git lfs pull"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=message):
        read_rows("key", tmp_path / name, number_of, "so or so")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    column = pyarrow.array([1])
    table = pyarrow.table([column, column, column], names=["text", "number", "number"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(RequestError, match="has two columns 'number'"):
        read_rows("key", tmp_path / "a.parquet", number_of)


def test_a_data_set_of_no_rows_is_named(tmp_path: Path) -> None:
    Dataset.from_dict({"number": []}).save_to_disk(tmp_path / "a")
    with pytest.raises(RequestError, match=r"key=.*/a: is no folder that datasets can load"):
        read_rows("key", tmp_path / "a", number_of)


def test_a_folder_that_is_no_data_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(RequestError, match="no folder that datasets can load"):
        read_rows("key", tmp_path, number_of)
