"""Clouds on disk: bit for bit, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.clouds.store import read_cloud, read_clouds, write_clouds
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
