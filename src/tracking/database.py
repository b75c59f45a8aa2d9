"""A SQLite database as a store: made whole or not at all, with the files of its runs beside it also after a move."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock
from mlflow import MlflowClient

from ..rundir import ROOT
from ..system.files import replacing
from .address import SQLITE, database_of

ARTIFACTS = "mlartifacts"
"""Where a database under multirun/ keeps the files of its runs."""

logger = logging.getLogger(__name__)


def artifact_place(uri: str) -> str:
    """Where the files of new runs go if the store is a database: it would take the current directory."""
    path = database_of(uri)
    root = path.parent if path is not None and path.parent.name == ROOT.name else ROOT
    return (root / ARTIFACTS).resolve().as_uri()


def is_lost(path: Path) -> bool:
    """Whether a database is gone; connecting to one that is leaves an empty file."""
    return not path.exists() or not path.stat().st_size


def lock_of(uri: str) -> FileLock:
    """What those hold who make or change what all runs of a store have in common.

    Beside a database, which several project folders may share.
    """
    path = database_of(uri)
    folder = path.parent if path is not None else ROOT
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):  # nothing can be made there
        folder = ROOT
    lock = folder / ".mlflow.lock"
    with suppress(FileExistsError):
        lock.touch(exist_ok=False)  # with the umask's mode: a file that FileLock makes is closed to others of a team
    return FileLock(lock)


def make_database(uri: str) -> None:
    """A fresh SQLite database, whole or not at all: one whose migration was killed is refused by MLflow for ever.

    Whoever calls holds `lock_of` it: two processes that migrate one fresh database at once break it.
    """
    path = database_of(uri)
    if path is None or not is_lost(path):
        return
    leftover = re.compile(rf"\.\d+\.{re.escape(path.name)}(-\w+)?")  # as `replacing` and SQLite name them
    for other in path.parent.iterdir():
        if leftover.fullmatch(other.name):  # by a process that was killed here
            other.unlink(missing_ok=True)
    with replacing(path) as partial:
        MlflowClient(f"{SQLITE}{partial}").search_experiments(max_results=1)


def folder_of(location: str) -> Path | None:
    """The folder of an artifact location on this machine; None if it is another kind of place."""
    split = urlsplit(location)
    return Path(unquote(split.path)) if split.scheme == "file" else None


def mend_artifact_places(database: Path, location: str) -> str:
    """Let a database that was moved together with the files of its runs know where they are now.

    MLflow has no request for it: it keeps each run's place as it was when the run began.

    Args:
        location: of an experiment, as the database has it.

    Returns:
        The location that holds from now on.
    """
    there, here = folder_of(location), database.resolve().parent / ARTIFACTS
    if there is None or there.name != ARTIFACTS or there == here:
        return location
    if here.parent != ROOT.resolve() and (there.exists() or not here.exists()):
        return location
    old, new, mended = location.rstrip("/"), here.as_uri(), 0
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        known = connection.execute(
            "SELECT run_uuid, artifact_uri FROM runs WHERE substr(artifact_uri, 1, ?) = ?", [len(old) + 1, f"{old}/"]
        ).fetchall()
        for run_id, uri in known:
            if (here / run_id).exists() or not (there / run_id).exists():
                place = new + uri[len(old) :]
                connection.execute("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", [place, run_id])
                mended += 1
        connection.execute("UPDATE experiments SET artifact_location = ? WHERE artifact_location = ?", [new, location])
    logger.warning("%s was moved from %s: the files of %d runs are looked for beside it now", database, there, mended)
    return new
