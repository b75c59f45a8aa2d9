"""Clouds on disk: one safetensors file per captured step, with a checksum of each layer and a seal on the header."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..system.files import UNSEALED, DamagedError, check_seal, replacing, seal, set_aside

LENGTH = 8
"""Bytes at the beginning of a safetensors file that say how long its header is."""


def write_clouds(
    path: Path, clouds: Mapping[str, np.ndarray], *, step: int, probe_hash: str, beside: Sequence[str] = ()
) -> None:
    """Write float32 (N, D) clouds by layer name; the file appears whole or not at all.

    Args:
        beside: names of files of the same folder without which the clouds are not complete.
    """
    arrays = {layer: np.ascontiguousarray(cloud, dtype=np.float32) for layer, cloud in clouds.items()}
    sums = {f"crc32.{layer}": str(_sum(cloud)) for layer, cloud in arrays.items()}
    facts = {"step": str(step), "probe_hash": probe_hash, "beside": json.dumps(list(beside)), "seal": UNSEALED}
    with replacing(path) as partial:
        save_file(arrays, partial, metadata=facts | sums)
        seal(partial, len(_read_header(partial)))


def _sum(cloud: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(cloud).data)


def _read_header(path: Path) -> bytes:
    """The header of a safetensors file with the bytes that say how long it is.

    Raises:
        DamagedError: if the file is not as long, or gone.
    """
    try:
        with path.open("rb") as file:
            length = file.read(LENGTH)
            size = int.from_bytes(length, "little")
            if len(length) == LENGTH and size <= path.stat().st_size - LENGTH:
                return length + file.read(size)
    except FileNotFoundError as error:
        raise DamagedError(path, "it is gone") from error
    raise DamagedError(path, "it has no header")


@contextmanager
def _open(path: Path) -> Iterator[tuple[Any, Mapping[str, str], bool]]:
    """The file, its metadata, and whether its header was sealed: a version before this one sealed none.

    Raises:
        DamagedError: if it is not what was written.
    """
    sealed = check_seal(path, _read_header(path))
    try:
        with safe_open(path, framework="numpy") as file:
            yield file, file.metadata() or {}, sealed
    except (SafetensorError, FileNotFoundError) as error:
        raise DamagedError(path, str(error)) from error


def read_probe_hash(path: Path) -> str:
    """The hash of the probe set that the clouds of a file belong to."""
    with _open(path) as (_, facts, _):
        return facts["probe_hash"]


def layer_names(path: Path) -> list[str]:
    """Names of the layers of a file, in their order; no cloud is read."""
    with _open(path) as (file, _, _):
        return sorted(file.keys())


def cloud_size(path: Path, layer: str) -> tuple[int, int]:
    """(N, D) of one layer; the cloud is not read."""
    with _open(path) as (file, _, _):
        points, width = file.get_slice(layer).get_shape()
        return points, width


def read_cloud(path: Path, layer: str) -> np.ndarray:
    """The float32 (N, D) cloud of one layer.

    Raises:
        DamagedError: if it is not what was written.
    """
    with _open(path) as (file, facts, sealed):
        cloud = np.asarray(file.get_tensor(layer))
        stated = facts.get(f"crc32.{layer}")
    if stated != str(_sum(cloud)) and (sealed or stated is not None):
        raise DamagedError(path, f"the checksum of {layer} does not match")
    return cloud


def read_clouds(path: Path) -> dict[str, np.ndarray]:
    """float32 (N, D) clouds by layer name, in the order of the layers."""
    return {layer: read_cloud(path, layer) for layer in layer_names(path)}


def check_clouds(path: Path) -> None:
    """Raises DamagedError if a file of clouds, or one that belongs to it, is not what was written, or gone."""
    read_clouds(path)
    with _open(path) as (_, facts, _):
        beside = json.loads(facts.get("beside", "[]"))
    for name in beside:
        read_clouds(path.with_name(name))


def set_damaged_aside(files: Iterable[Path]) -> bool:
    """Whether one of the files of clouds was damaged or gone."""
    damaged = False
    for path in files:
        try:
            check_clouds(path)
        except DamagedError as error:
            if error.path.exists():
                set_aside(error.path, error.reason)
            damaged = True
    return damaged
