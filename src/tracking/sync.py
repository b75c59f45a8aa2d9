"""What MLflow misses of a run whose process is gone."""

from __future__ import annotations

from enum import Enum

from ..config import RequestError, TrackingConfig
from ..rundir import RunDirectory
from ..system.jsonl import append_jsonl, check_jsonl, read_jsonl
from .journal import end_if_killed, read_start, try_lock
from .offsets import is_uploaded
from .store import open_store
from .uploader import Uploader


class SyncOutcome(Enum):
    COMPLETE = "MLflow missed nothing"
    UPLOADED = "all of it is in MLflow now"
    IN_USE = "still at work, left alone"


def sync_run(run: RunDirectory, uri: str | None) -> SyncOutcome:
    """Bring MLflow what it misses of a run.

    Args:
        run: a run that was killed ends as KILLED; one that still goes on is left alone.
        uri: the store; None is the one that the run was meant for.

    Raises:
        RequestError: if the store is not known or cannot be reached.
        OutageError: if the store fails on the way; the next call goes on from there.
        DamagedError: if the spool or the journal is not what was written.
    """
    start = read_start(run)
    if start is None or (uri is None and is_uploaded(run) and start["uri"] is None):
        return SyncOutcome.COMPLETE
    lock = try_lock(run)
    if lock is None:
        return SyncOutcome.IN_USE
    try:
        target = uri or start["uri"]
        if target is None:
            raise RequestError(
                f"tracking.uri: {run.path} does not say where it goes, as the address may hold a password; give it"
            )
        uploader = Uploader(open_store(TrackingConfig(uri=target, experiment=start["experiment"])), run)
        if uploader.offsets.done and not uploader.forget_if_unknown():
            return SyncOutcome.COMPLETE
        check_jsonl(run.spool, run.read_status().get("spool_bytes", 0))
        end_if_killed(run)
        uploader.upload()
    finally:
        lock.release()
    return SyncOutcome.UPLOADED


def add_tag(run: RunDirectory, key: str, value: str) -> None:
    """Give a run that nobody is at work on one more tag, unless it has it.

    Raises:
        RequestError: if another process is at work in its directory, or its store cannot be reached.
        OutageError: if the store fails on the way; `sync_run` brings it the tag later.
    """
    if any(key in entry.get("tags", {}) for entry, _ in read_jsonl(run.journal)):
        return
    lock = try_lock(run)
    if lock is None:
        raise RequestError(f"{run.path}: another process is at work there")
    try:
        append_jsonl(run.journal, {"tags": {key: value}})
    finally:
        lock.release()
    sync_run(run, None)
