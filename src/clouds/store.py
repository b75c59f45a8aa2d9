"""Clouds on disk: one safetensors file per captured step, with the checksum of each layer."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..system.files import DamagedError, replacing, set_aside


def write_clouds(path: Path, clouds: Mapping[str, np.ndarray], *, step: int, probe_hash: str) -> None:
    """Write float32 (N, D) clouds by layer name; the file appears whole or not at all."""
    arrays = {layer: np.ascontiguousarray(cloud, dtype=np.float32) for layer, cloud in clouds.items()}
    sums = {f"crc32.{layer}": str(_sum(cloud)) for layer, cloud in arrays.items()}
    with replacing(path) as partial:
        save_file(arrays, partial, metadata={"step": str(step), "probe_hash": probe_hash, **sums})


def _sum(cloud: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(cloud).data)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except SafetensorError as error:
        raise DamagedError(path, str(error)) from error


def read_probe_hash(path: Path) -> str:
    """The hash of the probe set that the clouds of a file belong to."""
    with _open(path) as file:
        return str(file.metadata()["probe_hash"])


def layer_names(path: Path) -> list[str]:
    """Names of the layers of a file, in their order; no cloud is read."""
    with _open(path) as file:
        return sorted(file.keys())


def cloud_size(path: Path, layer: str) -> tuple[int, int]:
    """(N, D) of one layer; the cloud is not read."""
    with _open(path) as file:
        points, width = file.get_slice(layer).get_shape()
        return points, width


def read_cloud(path: Path, layer: str) -> np.ndarray:
    """The float32 (N, D) cloud of one layer.

    Raises:
        DamagedError: if it is not what was written.
    """
    with _open(path) as file:
        cloud = np.asarray(file.get_tensor(layer))
        stated = file.metadata().get(f"crc32.{layer}")
    if stated is not None and stated != str(_sum(cloud)):
        raise DamagedError(path, f"the checksum of {layer} does not match")
    return cloud


def read_clouds(path: Path) -> dict[str, np.ndarray]:
    """float32 (N, D) clouds by layer name, in the order of the layers."""
    return {layer: read_cloud(path, layer) for layer in layer_names(path)}


def set_damaged_aside(files: Iterable[Path]) -> bool:
    """Whether one of the files of clouds was damaged."""
    damaged = False
    for path in files:
        try:
            read_clouds(path)
        except DamagedError as error:
            set_aside(path, error.reason)
            damaged = True
    return damaged
