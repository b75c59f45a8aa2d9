"""How much of a run directory MLflow has, saved after each request: an upload that was cut off resumes from there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ..config.identity import hash_values
from ..rundir import RunDirectory
from ..system.files import DamagedError, read_json, set_aside, write_json
from ..system.jsonl import size_of
from ..system.secrets import without_login
from .address import portable


@dataclass
class UploadOffsets:
    """How much of a run directory one store has; kept in delivered.json."""

    store: str
    """Hash of the store's address without a login: a hash of a password can be guessed."""
    started: int
    """Start of the run, in ms: a directory that was emptied has another one."""
    run_id: str = ""
    metrics: int = 0
    """Bytes of the spool."""
    journal: int = 0
    """Bytes of the journal, as far as tags and the end go."""
    artifacts: int = 0
    """Bytes of the journal, as far as artifacts and pictures go."""
    ended: bool = False
    done: bool = False
    """Whether the run has ended and all of it is there, but for what was left out."""
    start_id: str = ""
    """The tag by which the run's own journal is known in MLflow; empty before there was one."""
    left_out: dict[str, str] = field(default_factory=dict)
    """What the store refused, or was damaged here, and why: it counts as not delivered."""


_KEYS_WITHOUT_CHECKSUM = {"store", "started", "run_id", "metrics", "journal", "artifacts", "ended", "done"}
"""What the version wrote that knew no checksum."""

_EARLIER_NAMES = {"numbers": "metrics", "words": "journal", "files": "artifacts"}
"""What fields were called by the version that wrote some of the files."""


def read_offsets(run: RunDirectory) -> UploadOffsets | None:
    """What the last upload saved; None before the first, or if it is damaged: all is then sent again."""
    if not run.offsets.exists():
        return None
    try:
        stored = _read_unchecked(run) or read_json(run.offsets)
        return UploadOffsets(**stored)
    except (DamagedError, TypeError) as error:
        set_aside(run.offsets, error.reason if isinstance(error, DamagedError) else "it has other keys")
        return None


def _read_unchecked(run: RunDirectory) -> dict[str, Any] | None:
    """What a version wrote that knew no checksum, whose keys are exactly these; None if it was another one."""
    try:
        stored = {_EARLIER_NAMES.get(key, key): v for key, v in json.loads(run.offsets.read_bytes()).items()}
    except (ValueError, AttributeError, RecursionError):
        return None
    return stored if stored.keys() == _KEYS_WITHOUT_CHECKSUM else None


def load_offsets(run: RunDirectory, uri: str, started: int) -> UploadOffsets:
    """What was saved for this start of the run and the store at `uri`, or that nothing is there yet."""
    stored = read_offsets(run)
    if stored is None or stored.started != started or not is_of_store(run, stored, uri):
        return UploadOffsets(_hash_store(run, uri), started)
    stored.done = stored.done and not _has_more(run, stored)
    return stored


def _hash_store(run: RunDirectory, uri: str) -> str:
    return hash_values({"uri": portable(without_login(uri), run)})


def is_of_store(run: RunDirectory, offsets: UploadOffsets, uri: str) -> bool:
    """Whether they say what the store at `uri` has; an earlier version hashed a database's whole path."""
    return offsets.store in (_hash_store(run, uri), hash_values({"uri": without_login(uri)}))


def save_offsets(run: RunDirectory, offsets: UploadOffsets, **changed: int | str | bool | dict[str, str]) -> None:
    """Change `offsets`, here and on disk, if anything is new."""
    if all(getattr(offsets, key) == value for key, value in changed.items()):
        return
    for key, value in changed.items():
        setattr(offsets, key, value)
    write_json(run.offsets, asdict(offsets))


def is_uploaded(run: RunDirectory) -> bool:
    """Whether the store of the last upload has all of the run, up to its end, and nothing was left out."""
    offsets = read_offsets(run)
    return offsets is not None and offsets.done and not offsets.left_out and not _has_more(run, offsets)


def _has_more(run: RunDirectory, offsets: UploadOffsets) -> bool:
    return size_of(run.journal) > offsets.journal
