"""Clouds on disk: bit for bit, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from src.clouds.store import check_clouds, read_cloud, read_clouds, read_probe_hash, set_damaged_aside, write_clouds
from src.system.files import DamagedError


def flip(path: Path, place: float) -> None:
    """Change one bit; `place` is where, as a share of the file."""
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)


def test_a_cloud_whose_bits_changed_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "clouds.safetensors"
    clouds = {f"layer_{n:02d}": np.random.default_rng(n).normal(size=(5, 3)).astype(np.float32) for n in (1, 2)}
    write_clouds(path, clouds, step=4, probe_hash="h")
    flip(path, 0.999)
    assert np.array_equal(read_cloud(path, "layer_01"), clouds["layer_01"]), "the other layer is whole"
    with pytest.raises(DamagedError, match="layer_02"):
        read_cloud(path, "layer_02")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DamagedError):
        read_cloud(path, "layer_01")


def test_clouds_come_back_from_disk_bit_for_bit(tmp_path: Path) -> None:
    clouds = {f"layer_{n:02d}": np.random.default_rng(n).normal(size=(7, 3)).astype(np.float32) for n in (2, 1, 10)}
    write_clouds(tmp_path / "c.safetensors", clouds, step=3, probe_hash="x")
    back = read_clouds(tmp_path / "c.safetensors")
    assert list(back) == ["layer_01", "layer_02", "layer_10"]
    assert all(np.array_equal(back[layer], clouds[layer]) for layer in clouds)
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"], "no partial file stays"


def test_the_header_is_checked_with_all_that_it_says(tmp_path: Path) -> None:
    path, clouds = tmp_path / "clouds.safetensors", {"layer_01": np.ones((5, 3), dtype=np.float32)}
    write_clouds(path, clouds, step=4, probe_hash="5eed5eed")
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedError, match=r"clouds\.safetensors: damaged"):
            check_clouds(path)
    path.write_bytes(whole.replace(b"5eed5eed", b"5eed5eee"))
    with pytest.raises(DamagedError):
        read_probe_hash(path)


def test_clouds_without_a_file_that_belongs_to_them_are_not_whole(tmp_path: Path) -> None:
    clouds, floor = tmp_path / "clouds.safetensors", tmp_path / "floor.safetensors"
    for path, beside in ((floor, []), (clouds, [floor.name])):
        write_clouds(path, {"layer_01": np.ones((5, 3))}, step=4, probe_hash="h", beside=beside)
    check_clouds(clouds)
    assert not set_damaged_aside([clouds])
    floor.unlink()
    with pytest.raises(DamagedError, match=r"floor\.safetensors: damaged \(it is gone\)"):
        check_clouds(clouds)
    assert set_damaged_aside([clouds])
    assert set_damaged_aside([tmp_path / "another.safetensors"]), "one that is gone can only be captured again"


def test_clouds_of_a_version_that_sealed_no_header_are_read(tmp_path: Path) -> None:
    path, cloud = tmp_path / "clouds.safetensors", np.ones((5, 3), dtype=np.float32)
    save_file({"layer_01": cloud}, path, metadata={"step": "4", "probe_hash": "h"})
    assert read_probe_hash(path) == "h"
    check_clouds(path)
    assert np.array_equal(read_cloud(path, "layer_01"), cloud)
