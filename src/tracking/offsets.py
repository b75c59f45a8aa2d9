"""How much of a run directory MLflow has: noted on disk after each request, for whoever goes on from there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ..config.identity import hash_values
from ..rundir import RunDirectory
from ..system.files import replacing


@dataclass
class Progress:
    """How much of a run directory one store has; kept in delivered.json."""

    store: str
    """Hash of the store's address, which may hold a password."""
    started: int
    """Start of the run, in ms: an emptied directory begins anew."""
    run_id: str = ""
    numbers: int = 0
    """Bytes of the spool."""
    words: int = 0
    """Bytes of the journal, as far as tags and the end go."""
    files: int = 0
    """Bytes of the journal, as far as artifacts and pictures go."""
    ended: bool = False
    done: bool = False
    """Whether the run has ended and all of it is there."""


def read_progress(run: RunDirectory) -> Progress | None:
    """What the last delivery noted; None before the first."""
    return Progress(**json.loads(run.delivered.read_text())) if run.delivered.exists() else None


def find_progress(run: RunDirectory, uri: str, started: int) -> Progress:
    """What was noted for this start of the run and the store at `uri`, or that nothing is there yet."""
    fresh = Progress(hash_values({"uri": uri}), started)
    noted = read_progress(run)
    if noted is None or (noted.store, noted.started) != (fresh.store, fresh.started):
        return fresh
    noted.done = noted.done and not _goes_on(run, noted)
    return noted


def note_progress(run: RunDirectory, progress: Progress, **changed: int | str | bool) -> None:
    """Change `progress` and what is noted of it, if anything is new."""
    if all(getattr(progress, key) == value for key, value in changed.items()):
        return
    for key, value in changed.items():
        setattr(progress, key, value)
    with replacing(run.delivered) as partial:
        partial.write_text(json.dumps(asdict(progress)))


def is_delivered(run: RunDirectory) -> bool:
    """Whether the store that the last delivery went to has all of the run, up to its end."""
    progress = read_progress(run)
    return progress is not None and progress.done and not _goes_on(run, progress)


def _goes_on(run: RunDirectory, progress: Progress) -> bool:
    return run.journal.stat().st_size > progress.words
