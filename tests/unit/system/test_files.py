"""Files that say whether they are whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.system.files import DamagedError, is_whole_zip, read_json, write_json


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


def test_a_zip_archive_that_is_cut_off_or_changed_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(1000))
    assert is_whole_zip(path)
    flip(path, 0.5)
    assert not is_whole_zip(path)
    path.write_bytes(path.read_bytes()[:100])
    assert not is_whole_zip(path)
