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


def read_clouds(path: Path) -> dict[str, np.ndarray]:
    """float32 (N, D) clouds by layer name, in the order of the layers."""
    return dict(sorted(load_file(path).items()))
