"""What MLflow is sent of a run, on disk before any request: numbers in the spool, everything else in the journal.

metrics.jsonl, a line for each `log`:
    {"step": 7, "timestamp": <ms>, "metrics": {key: value}}        each behind a checksum, see system/jsonl.py
journal.jsonl, in the order of what happened:
    {"start": {...}}                                               the first line: all that makes the MLflow run;
                                                                   the address of its store without a login;
                                                                   of its tags, start_id says which journal this is
    {"tags": {key: value}}
    {"artifact": <file>, "folder": <name or null>}                 a file of the run directory, by its name there
    {"picture": <file>, "key": "diagrams", "step": 7, "timestamp": <ms>}
    {"end": "FINISHED", "timestamp": <ms>}                         the last line; a killed run has none
    {"resume": {"uri": ..., "experiment": ...}, "timestamp": <ms>} another start goes on from here
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout

from ..config import RequestError
from ..rundir import RunDirectory
from ..rundir.find import read_mlflow_id
from ..system.files import DamagedError, read_json
from ..system.jsonl import Entry, append_jsonl, read_jsonl
from ..system.secrets import redacted

logger = logging.getLogger(__name__)


def now() -> int:
    """Milliseconds since 1970, MLflow's clock."""
    return int(time.time() * 1000)


def read_start(run: RunDirectory) -> Entry | None:
    """The journal's first line, with the store that the last start goes to; None if the run never came that far.

    Raises:
        DamagedError: if the journal is not what was written.
    """
    start: Entry | None = None
    for entry, _ in read_jsonl(run.journal):
        if start is None:
            start = entry.get("start")
            if start is None:
                raise DamagedError(run.journal, "its first line is gone")
        start |= entry.get("resume", {})
    return start


START_ID = "start_id"
"""The tag of an MLflow run that says which journal made it."""


@dataclass(frozen=True)
class EarlierRun:
    """The MLflow run of an earlier start."""

    run_id: str
    start_id: str = ""
    """Its tag; empty if a version made it that gave none."""


def read_replaced(start: Entry) -> EarlierRun | None:
    """The run that a start takes the place of. An earlier version noted its id alone."""
    noted: Any = start.get("replaces")
    if isinstance(noted, dict):
        return EarlierRun(str(noted.get("run_id")), str(noted.get("start_id", "")))
    return EarlierRun(str(noted)) if noted else None


def find_earlier_run(run: RunDirectory) -> EarlierRun | None:
    """The run's MLflow run; of one that never reached MLflow, the one that it was to replace.

    None also where damaged files say neither: the next start is then a run beside the earlier one.
    """
    start_id, start = "", None
    with suppress(DamagedError):
        start_id = str(read_json(run.offsets).get(START_ID, ""))
    try:
        known = read_mlflow_id(run)
        if not (known and start_id):
            start = read_start(run)
    except DamagedError as error:
        logger.warning("%s; what MLflow has of the earlier start stays there", error)
        return None
    if known:
        return EarlierRun(known, start_id or (start["tags"].get(START_ID, "") if start else ""))
    return read_replaced(start) if start else None


def file_of(run: RunDirectory, name: str) -> Path:
    """A file of the run directory that its journal names.

    Raises:
        RequestError: if it lies elsewhere, by a path or by a link; the journal may come from anybody.
    """
    path = run.path / name
    if Path(name).is_absolute() or not path.resolve().is_relative_to(run.path.resolve()):
        raise RequestError(
            f"{run.journal}: names the file {name}, which is not below {run.path}; nothing is sent of it"
        )
    return path


def check_journal(run: RunDirectory) -> None:
    """Raises RequestError if a line of the journal is none that a run writes, or names a file elsewhere."""
    for number, (entry, _) in enumerate(read_jsonl(run.journal), 1):
        if not isinstance(entry, dict) or (number == 1) != ("start" in entry):
            raise RequestError(f"{run.journal}: entry {number} is none that a run writes; nothing is sent of it")
        for kind in ("artifact", "picture"):
            if kind in entry:
                file_of(run, str(entry[kind]))
        numbers = [entry[key] for key in ("step", "timestamp") if key in entry]
        folder = PurePosixPath(str(entry.get("folder") or ""))
        if not all(isinstance(value, int) for value in numbers) or folder.is_absolute() or ".." in folder.parts:
            raise RequestError(f"{run.journal}: entry {number} is none that a run writes; nothing is sent of it")


LoggedKeys = set[tuple[str, int]]
"""Keys and steps."""


def read_logged(run: RunDirectory) -> tuple[LoggedKeys, LoggedKeys]:
    """Which numbers, and which pictures, an earlier start has logged already."""
    numbers = {(key, line["step"]) for line, _ in read_jsonl(run.spool) for key in line["metrics"]}
    pictures = {(entry["key"], entry["step"]) for entry, _ in read_jsonl(run.journal) if "picture" in entry}
    return numbers, pictures


def write_entry(run: RunDirectory, entry: Entry) -> None:
    """Add a line to the journal."""
    append_jsonl(run.journal, redacted(entry))


def end_if_killed(run: RunDirectory) -> None:
    """Give the journal of a run that nobody runs any more its last line, at the time of the last sign of life.

    Raises:
        DamagedError: if the run was done, so that its journal had one.
    """
    turns = [entry for entry, _ in read_jsonl(run.journal) if "resume" in entry or "end" in entry]
    if not turns or "resume" in turns[-1]:
        if run.read_status().get("state") == "done":
            raise DamagedError(run.journal, "its last lines are gone")
        last = max(path.stat().st_mtime for path in (run.journal, run.spool) if path.exists())
        write_entry(run, {"end": "KILLED", "timestamp": int(last * 1000)})


def try_lock(run: RunDirectory) -> FileLock | None:
    """A lock on the run directory, held until it is released or its process dies; None if another one has it."""
    lock = FileLock(run.lock, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock
