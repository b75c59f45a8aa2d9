"""Clouds on disk: one safetensors file per captured step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from ..rundir import replacing


def write_clouds(path: Path, clouds: Mapping[str, np.ndarray], *, step: int, probe_hash: str) -> None:
    """Write float32 (N, D) clouds by layer name; the file appears whole or not at all."""
    with replacing(path) as partial:
        arrays = {layer: np.ascontiguousarray(cloud, dtype=np.float32) for layer, cloud in clouds.items()}
        save_file(arrays, partial, metadata={"step": str(step), "probe_hash": probe_hash})


def read_probe_hash(path: Path) -> str:
    """The hash of the probe set that the clouds of a file belong to."""
    with safe_open(path, framework="numpy") as file:
        return str(file.metadata()["probe_hash"])


def layer_names(path: Path) -> list[str]:
    """Names of the layers of a file, in their order; no cloud is read."""
    with safe_open(path, framework="numpy") as file:
        return sorted(file.keys())


def cloud_size(path: Path, layer: str) -> tuple[int, int]:
    """(N, D) of one layer; the cloud is not read."""
    with safe_open(path, framework="numpy") as file:
        points, width = file.get_slice(layer).get_shape()
        return points, width


def read_cloud(path: Path, layer: str) -> np.ndarray:
    """The float32 (N, D) cloud of one layer."""
    with safe_open(path, framework="numpy") as file:
        return np.asarray(file.get_tensor(layer))


def read_clouds(path: Path) -> dict[str, np.ndarray]:
    """float32 (N, D) clouds by layer name, in the order of the layers."""
    return dict(sorted(load_file(path).items()))
