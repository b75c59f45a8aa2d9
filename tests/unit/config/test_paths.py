"""Paths that no disk can hold are not there, and nothing is raised."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config.paths import expand, fits_disk, is_file, is_folder


def test_what_is_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "é.txt").write_text("")
    assert is_folder(tmp_path)
    assert is_file(str(tmp_path / "é.txt"))
    assert not is_folder(tmp_path / "é.txt")
    assert not is_file(tmp_path)
    assert expand("~") == Path("~").expanduser()


@pytest.mark.parametrize("path", ["/" + "x" * 256, "/x" * 3000, "a\0b", "~nobody-of-this-name/x", ""])
def test_what_cannot_be_is_not_there(path: str) -> None:
    assert not is_file(path)
    assert is_folder(path) == (path == "")  # where one is


def test_a_disk_holds_so_many_bytes() -> None:
    assert fits_disk("/" + "x" * 255)
    assert not fits_disk("/" + "é" * 128)
    assert fits_disk("/x" * 2048)
    assert not fits_disk("/x" * 2049)
