"""Whether the checkpoints under the paths of a series are those that were measured: paths are written over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..config import RequestError
from ..config.track import TrackConfig
from ..rundir import RunDirectory
from ..rundir.state import load_config
from .checkpoint import Checkpoint, weight_files

BLOCKS, SIZE = 256, 1024
"""Of a weight file that are read, evenly spread, and the bytes of each; a smaller file is read as a whole."""


def digest_weights(checkpoints: Mapping[int, Checkpoint]) -> str:
    """Twelve hexadecimal digits over names, sizes and parts of the weight files, wherever the folders lie.

    Another training has other numbers everywhere, so that parts of them tell it, in moments.
    """
    digest = hashlib.sha256()
    for step, checkpoint in sorted(checkpoints.items()):
        for file in weight_files(checkpoint):
            digest.update(f"{step} {file.name} {file.stat().st_size}\n".encode())
            for block in _read_blocks(file):
                digest.update(block)
    return digest.hexdigest()[:12]


def _read_blocks(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= BLOCKS * SIZE:
            yield file.read()
            return
        for number in range(BLOCKS):
            file.seek(number * (size - SIZE) // (BLOCKS - 1))
            yield file.read(SIZE)


def refuse_other_content(run: RunDirectory, config: TrackConfig) -> None:
    """Raises RequestError if the directory holds a run of checkpoints that were written over since."""
    if config.force or not run.config.exists():
        return
    stored = load_config(run)
    # A version before noted no content.
    if isinstance(stored, TrackConfig) and stored.track.content not in ("", config.track.content):
        key = "track.revisions" if config.track.revisions else "track.checkpoints"
        raise RequestError(
            f"{key}: {run.path} measured other checkpoints of the same names; force=true starts over there, moving the "
            "directory away keeps it"
        )
