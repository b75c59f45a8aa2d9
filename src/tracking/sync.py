"""What MLflow misses of a run whose process is gone."""

from __future__ import annotations

import os
from enum import Enum

from ..config import RequestError, TrackingConfig
from ..rundir import ROOT, RunDirectory
from ..system.jsonl import Entry, check_jsonl, read_jsonl
from ..system.secrets import without_login
from ..system.words import enumerate_some
from .address import find_noted
from .journal import end_if_killed, read_start, try_lock, write_entry
from .offsets import is_uploaded, read_offsets
from .store import LOGIN, open_store
from .uploader import Uploader


class SyncOutcome(Enum):
    COMPLETE = "MLflow missed nothing"
    UPLOADED = "all of it is in MLflow now"
    LACKING = "MLflow does not have all of it"
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
    if start is None:
        return SyncOutcome.COMPLETE
    if uri is None and start["uri"] is None and is_uploaded(run):  # an earlier version kept no address with a login
        return SyncOutcome.COMPLETE
    lock = try_lock(run)
    if lock is None:
        return SyncOutcome.IN_USE
    try:
        target = uri or _store_of(run, start)
        uploader = Uploader(open_store(TrackingConfig(uri=target, experiment=start["experiment"])), run)
        check_jsonl(run.spool, run.read_status().get("spool_bytes", 0))
        end_if_killed(run)
        uploader.upload()
    finally:
        lock.release()
    if uploader.offsets.left_out:
        return SyncOutcome.LACKING
    return SyncOutcome.UPLOADED if uploader.sent else SyncOutcome.COMPLETE


def describe_lacking(run: RunDirectory) -> str:
    """What the store lacks of a run after `sync_run`, and why."""
    offsets = read_offsets(run)
    reasons = [f"{what} ({why})" for what, why in sorted((offsets.left_out if offsets else {}).items())]
    return f"MLflow lacks {enumerate_some(reasons)}"


def _store_of(run: RunDirectory, start: Entry) -> str:
    """The address of the store that a run was meant for, with the login that the environment has for it.

    Raises:
        RequestError: if a login is missing, or somebody else's directory would be given one.
    """
    address, ours = start["uri"], os.environ.get("MLFLOW_TRACKING_URI")
    address = find_noted(address, run) if address else None
    if ours and address in (None, without_login(ours)):  # an earlier version kept none that had a login
        return ours
    has_own = any(os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("PASSWORD", "TOKEN"))
    if address is None or (start.get("login") and not (has_own and address.startswith("http"))):
        raise RequestError(f"tracking.uri={address or ''}: {run.path} needs a login there, and {LOGIN}")
    if has_own and address.startswith("http") and not run.path.resolve().is_relative_to(ROOT.resolve()):
        raise RequestError(
            f"tracking.uri={address}: {run.path} lies outside {ROOT}/ and says itself where it is sent; give "
            f"tracking.uri={address} if the login of this machine's user may go there"
        )
    return str(address)


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
        write_entry(run, {"tags": {key: value}})
    finally:
        lock.release()
    sync_run(run, None)
