"""Clouds that somebody has as arrays: read and checked one step after the other, and kept on disk until all were seen.

Shapes: N rows (probes), D dimensions of a layer, which may differ from layer to layer.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import read_integer, read_points
from ..clouds.store import write_clouds
from ..rundir import RunDirectory
from ..system.words import count_of
from ..tracking.journal import try_lock
from .layer_names import enumerate_names, name_layers
from .progress import Bar, ShowProgress

Layers = Mapping[int | str, ArrayLike]
Series = Mapping[int, Layers] | Iterable[tuple[int, Layers]]

LARGEST_STEP = 2**31 - 1

PREFIX = ".arrays-"
"""What the folders begin with in which series lie while they are measured."""

MAX_LOSS = 0.1
"""Of the movement from one step to the next that may be lost where clouds are stored, in float32."""


@dataclass(frozen=True)
class GivenSeries:
    """A whole series, each cloud float32 (N, D) in a file of its own."""

    folder: Path
    steps: Sequence[int]
    """Ascending."""
    layers: Sequence[str]
    """As they are called here, in their order."""
    rows: int
    probe_hash: str
    """Of the names of the rows or, where they have none, of the first step: runs are compared by it."""
    digest: str
    """Twelve hexadecimal digits over all that was given."""

    def read(self, step: int) -> dict[str, np.ndarray]:
        """The clouds of a step by layer; of one before the first those of the first, which stands for step 0."""
        own = max(step, self.steps[0])
        return {name: np.load(_file(self.folder, own, n)) for n, name in enumerate(self.layers)}

    def write(self, path: Path, step: int) -> None:
        """The clouds of a step as a run directory has them."""
        write_clouds(path, self.read(step), step=step, probe_hash=self.probe_hash)


def _file(folder: Path, step: int, layer: int) -> Path:
    return folder / f"{step}-{layer}.npy"


@contextmanager
def read_series(
    given: Series, rows: Sequence[str] | None, least: int, root: Path | None, show: ShowProgress
) -> Iterator[GivenSeries]:
    """All of a series, on disk while the block runs; one step is in memory at a time, and the one before it.

    Args:
        given: by step, or pairs of a step and its layers as they come.
        rows: names of the rows.
        least: rows that are needed.
        root: the folder in which the files lie meanwhile; None: where the system keeps temporary files.

    Raises:
        ValueError: if a step or a layer is there twice or lacking, shapes differ, or a value is not finite.
    """
    if root is not None:
        root.mkdir(parents=True, exist_ok=True)
    try:
        if root is not None:
            _sweep(root)
        with TemporaryDirectory(prefix=PREFIX, dir=root) as folder, _locked(Path(folder)):
            with show(len(given) if isinstance(given, Sized) else None, "steps read") as bar:
                read = _read_all(given, Path(folder), rows, least, bar)
            yield read
    finally:
        if root is not None:
            with suppress(OSError):  # it holds runs
                root.rmdir()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Inside, nobody takes the folder for what a killed process left."""
    lock = try_lock(RunDirectory(folder))
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _sweep(root: Path) -> None:
    """Remove what processes that were killed left of their series."""
    for left in map(RunDirectory, root.glob(f"{PREFIX}*")):
        lock = try_lock(left) if left.lock.exists() else None
        if lock is not None:
            shutil.rmtree(left.path, ignore_errors=True)
            lock.release()


def _read_all(given: Series, folder: Path, rows: Sequence[str] | None, least: int, bar: Bar) -> GivenSeries:
    digests: dict[int, str] = {}
    names: dict[int | str, str] = {}
    before: dict[str, np.ndarray] = {}
    previous = -1
    for step, layers in _pairs(given):
        if step in digests:
            raise ValueError(f"series: step {step} is there twice; give each once")
        clouds = _read_layers(layers, f"series[{step}]")
        if not names:
            names = name_layers(list(clouds))
            _check_rows(clouds, rows, least)
        elif clouds.keys() != names.keys():
            raise ValueError(
                f"series[{step}] has the layers {enumerate_names(clouds)}, the first step {enumerate_names(names)}; "
                "give the same at each"
            )
        own = {names[key]: cloud for key, cloud in clouds.items()}
        digest = hashlib.sha256()
        for n, (key, name) in enumerate(names.items()):
            where, cloud = f"series[{step}][{key!r}]", own[name]
            if before and cloud.shape != before[name].shape:
                raise ValueError(
                    f"{where} has shape {cloud.shape}, and {before[name].shape} at step {previous}; give the same rows "
                    "and dimensions at every step"
                )
            stored = _as_float32(cloud, where)
            if before:
                _check_loss(before[name], cloud, where, previous)
            np.save(_file(folder, step, n), stored)
            digest.update(f"{name} {stored.shape}\n".encode() + stored.tobytes())
        digests[step], before, previous = digest.hexdigest(), own, step
        bar.update()
    if len(digests) < 2:
        raise ValueError(f"series: {count_of(len(digests), 'step')}, so nothing moves; give at least 2")
    steps = sorted(digests)
    probes = digests[steps[0]] if rows is None else _hash(list(rows))
    whole = _hash([probes, [(step, digests[step]) for step in steps]])[:12]
    return GivenSeries(folder, steps, list(names.values()), len(next(iter(before.values()))), probes, whole)


def _pairs(given: Any) -> Iterator[tuple[int, Layers]]:
    """Steps and their layers; those of a mapping are asked for one after the other."""
    if not isinstance(given, Iterable):
        raise ValueError(
            f"series is a {type(given).__name__}; give a dict, layers by step: {{0: {{'block_1': x0}}, 10: ...}}, or "
            "pairs of a step and its layers"
        )
    pairs = ((step, given[step]) for step in given) if isinstance(given, Mapping) else given
    for number, pair in enumerate(pairs):
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2):
            raise ValueError(f"series: its part {number} is a {type(pair).__name__}; give pairs (step, layers)")
        step = read_integer(pair[0], "step of series")
        if step > LARGEST_STEP:
            raise ValueError(f"step of series={step}: at most {LARGEST_STEP}")
        yield step, pair[1]


def _read_layers(given: object, where: str) -> dict[int | str, np.ndarray]:
    """float64 (N, D) by layer as the caller names it, all of one N."""
    if not isinstance(given, Mapping) or not given:
        what = "empty" if isinstance(given, Mapping) else f"a {type(given).__name__}"
        raise ValueError(
            f"{where} is {what}; give (N, D) by layer, such as {{'block_1': x}}, or dict(enumerate(hidden_states))"
        )
    clouds: dict[int | str, np.ndarray] = {}
    for key, values in given.items():
        name = key if isinstance(key, str) else read_integer(key, f"layer of {where}")
        clouds[name] = read_points(values, f"{where}[{name!r}]")
    counts = {key: len(cloud) for key, cloud in clouds.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"{where} has {counts} rows; give the same rows in every layer")
    return clouds


def _check_rows(clouds: Mapping[int | str, np.ndarray], rows: Sequence[str] | None, least: int) -> None:
    count = len(next(iter(clouds.values())))
    if count < least:
        raise ValueError(f"series has {count} rows; give at least {least}, a random half of them needs 3")
    if rows is None:
        return
    if isinstance(rows, (str, bytes)) or not all(isinstance(row, str) for row in rows):
        raise ValueError("probes: give a list of names, one for each row: texts, or names of files")
    if len(rows) != count:
        raise ValueError(f"probes: {len(rows)} names of {count} rows; give one for each, in their order")


def _as_float32(cloud: np.ndarray, where: str) -> np.ndarray:
    """As clouds are stored; (N, D).

    Raises:
        ValueError: if the values are too large or too small for that.
    """
    largest, limits = float(np.abs(cloud).max(initial=0.0)), np.finfo(np.float32)
    if largest > limits.max or 0 < largest < limits.tiny / limits.eps:
        raise ValueError(
            f"{where} holds values up to {largest:.3g}, which float32, in which clouds are stored, does not hold; "
            "divide every step by one number, the shape is the same"
        )
    return cloud.astype(np.float32)


def _check_loss(before: np.ndarray, after: np.ndarray, where: str, step: int) -> None:
    """Raises ValueError if the movement is too small beside the values for float32."""
    moved = after - before
    kept = after.astype(np.float32).astype(np.float64) - before.astype(np.float32)
    largest = float(np.abs(moved).max(initial=0.0))  # squares of what is tiny would be nothing
    if largest and np.linalg.norm((kept - moved) / largest) > MAX_LOSS * np.linalg.norm(moved / largest):
        raise ValueError(
            f"{where} moved so little since step {step}, beside the size of its values, that float32, in which clouds "
            "are stored, cannot hold it; subtract the same vector from every row at every step (the first row of the "
            "first one), the shape is the same"
        )


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
