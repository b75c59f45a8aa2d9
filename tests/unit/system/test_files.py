"""Files that say whether they are whole."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src.system.files import (
    UNSEALED,
    DamagedError,
    check_file,
    is_disk_full,
    is_whole_zip,
    read_json,
    read_sealed,
    replacing,
    seal,
    sweep_partial,
    write_json,
    write_page,
)  # fmt: skip
from tests.support.disks import small_disk
from tests.support.processes import require


def write_torch(path: Path, content: np.ndarray) -> None:
    torch.save(torch.from_numpy(content), path)


def write_numpy(path: Path, content: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, content)


def write_plain(path: Path, content: np.ndarray) -> None:
    path.write_bytes(content.tobytes())


def flip(path: Path, place: float) -> None:
    """Change one bit; `place` is where, as a share of the file."""
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)


# Files that say whether they are whole.
def test_json_gives_back_what_was_written_and_notices_every_flipped_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    content = {"state": "done", "values": [0.1, None, 3], "text": 'ü "quoted"'}
    write_json(path, content)
    assert read_json(path) == content
    whole = path.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(DamagedError, match=r"a\.json: damaged"):
            read_json(path)
    path.unlink()
    with pytest.raises(DamagedError, match="it is gone"):
        read_json(path)


def test_a_seal_notices_every_flipped_bit_and_every_end_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"# {UNSEALED}\nseed: 0\n# {UNSEALED}\n")
    seal(path)
    whole = read_sealed(path)
    assert b"seed: 0" in whole
    assert UNSEALED.encode() not in whole
    changed = [whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
               for place in range(len(whole)) for bit in range(8)]  # fmt: skip
    for content in [
        *changed,
        *(whole[:end] for end in range(12, len(whole))),
        *(whole[start:] for start in range(1, 30)),
    ]:
        path.write_bytes(content)
        with pytest.raises(DamagedError, match=r"config\.yaml: damaged"):
            read_sealed(path)


def test_a_file_of_a_version_that_sealed_nothing_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    assert read_sealed(tmp_path / "config.yaml") == b"seed: 0\n"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_zip_archive_that_is_cut_off_or_changed_is_not_whole(tmp_path: Path, save: object) -> None:
    path = tmp_path / "a.npz"
    save(path, x=np.random.default_rng(0).normal(size=1000))  # type: ignore[operator]
    whole = path.read_bytes()
    assert is_whole_zip(path)
    for place in (0.1, 0.3, 0.5, 0.9):
        flip(path, place)
        assert not is_whole_zip(path)
        path.write_bytes(whole)
    path.write_bytes(whole[:100])
    assert not is_whole_zip(path)


def test_a_picture_that_is_cut_off_or_changed_is_not_whole(tmp_path: Path) -> None:
    path, made = tmp_path / "a.png", io.BytesIO()
    Image.new("RGB", (20, 20), (1, 2, 3)).save(made, "png")
    path.write_bytes(made.getvalue())
    check_file(path)
    for content in (made.getvalue()[:-5], b"", made.getvalue()[:40] + b"?" + made.getvalue()[41:]):
        path.write_bytes(content)
        with pytest.raises(DamagedError):
            check_file(path)


def test_what_a_killed_writer_left_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".12345.last.ckpt").write_text("half")
    for kept in (".layers", ".reserve", "12.txt", ".12"):
        (tmp_path / kept).write_text("")
    sweep_partial(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".12", ".layers", ".reserve", "12.txt"]


def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(FileExistsError), replacing(path) as partial:
        partial.mkdir() if partial.write_text("half") else None
    assert [other.name for other in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "before"


def test_a_full_disk_is_known_by_number_and_by_what_libraries_say_of_it() -> None:
    assert is_disk_full(OSError(errno.ENOSPC, "no room"))
    assert is_disk_full(RuntimeError("I/O error: No space left on device (os error 28)"))
    outer = ValueError("could not be measured")
    outer.__cause__ = OSError(errno.EDQUOT, "quota")
    assert is_disk_full(outer)
    assert not is_disk_full(OSError(errno.EACCES, "not allowed"))


@pytest.mark.parametrize("write", [write_torch, write_numpy, write_plain])
def test_a_file_that_a_full_disk_cuts_says_so_whatever_its_writer_says(
    tmp_path: Path, write: Callable[[Path, np.ndarray], None]
) -> None:
    with small_disk(tmp_path / "disk", 1) as made:
        require(made, "no disk can be mounted here")
        target = tmp_path / "disk" / "weights"
        with pytest.raises((OSError, RuntimeError)) as caught, replacing(target) as partial:
            write(partial, np.zeros(2**21, np.uint8))
        assert is_disk_full(caught.value)
        assert not list(target.parent.iterdir())
        with pytest.raises(RuntimeError, match="another reason") as caught, replacing(target) as partial:
            raise RuntimeError("another reason")
        assert not is_disk_full(caught.value)


def test_a_page_that_is_cut_anywhere_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "figures.html"
    write_page(page, "<!doctype html>\n<title>Velocity</title>\n")
    check_file(page)
    whole = page.read_bytes()
    assert b"<!doctype html>\n<title>Velocity</title>\n" in whole
    for cut in (whole[:-5], whole[9:], whole[: len(whole) // 2], whole.replace(b"Vel", b"vel"), b""):
        page.write_bytes(cut)
        with pytest.raises(DamagedError):
            check_file(page)
