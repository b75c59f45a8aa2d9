"""One MLflow run as the rest sees it: everything is on disk at once, and a thread brings it to the store."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

from ..config import Config, RequestError
from ..config.commands import CompareConfig
from ..config.identity import flatten, plain
from ..rundir import RunDirectory
from ..rundir.naming import run_name
from ..system.files import DamagedError, is_disk_full
from ..system.invocation import command_line
from ..system.jsonl import append_jsonl
from ..system.words import enumerate_some
from .address import portable
from .journal import START_ID, EarlierRun, now, read_logged, read_start, try_lock, write_entry
from .offsets import UploadOffsets, is_of_store, read_offsets
from .refusals import DeletedRunError, OutageError, ask_for_run
from .store import Store
from .uploader import Uploader

MAX_BACKOFF = 30.0
"""Seconds between two tries to reach a store that is gone, at most."""

INTERRUPTED_TIMEOUT = 5.0
"""Seconds that the end of an interrupted run waits for its store, at most."""

logger = logging.getLogger(__name__)


class Tracker:
    """What MLflow is sent of a run. Nothing here waits for the store, and nothing that the store does stops a run."""

    def __init__(self, store: Store, run: RunDirectory, lock: FileLock) -> None:
        self.run, self.skipped = run, 0
        self._numbers, self._pictures = read_logged(run)
        self._uploader, self._lock = Uploader(store, run), lock
        self._wake, self._closing = threading.Event(), False
        self._trouble = "no answer yet"
        # A daemon: a store that hangs must not keep the process.
        self._thread = threading.Thread(target=self._upload, name="tracking", daemon=True)
        self._wake.set()
        self._thread.start()

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep values for the next `flush`; what is not finite is left out and counted.

        What an earlier start logged is not logged again: MLflow would keep a second point for its other time.
        """
        finite = {key: float(value) for key, value in values.items() if math.isfinite(value)}
        self.skipped += len(values) - len(finite)
        new = {key: value for key, value in finite.items() if (key, step) not in self._numbers}
        if new:
            append_jsonl(self.run.spool, {"step": step, "timestamp": now(), "metrics": new})

    def has_logged(self, key: str, step: int) -> bool:
        """Whether an earlier start logged this value."""
        return (key, step) in self._numbers

    def flush(self) -> None:
        """Let what waits be sent now, in as few calls as MLflow allows."""
        self._wake.set()

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Upload a file of the run directory; it must stay there as it is."""
        write_entry(self.run, {"artifact": self._name(path), "folder": folder})

    def log_picture(self, path: Path, key: str, step: int) -> None:
        """Show a PNG in the run's image grid, where a slider goes over the steps; nothing if there is none."""
        if path.exists() and (key, step) not in self._pictures:
            write_entry(self.run, {"picture": self._name(path), "key": key, "step": step, "timestamp": now()})

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.run.path))  # so that the directory may be moved before it is delivered

    def tag(self, tags: Mapping[str, str]) -> None:
        write_entry(self.run, {"tags": dict(tags)})

    def write_note(self, markdown: str) -> None:
        """The description at the top of the run's page."""
        self.tag({"mlflow.note.content": markdown})

    @property
    def offsets(self) -> UploadOffsets:
        """How much of the run the store has by now."""
        return self._uploader.offsets

    def close(self, status: str, patience: float) -> None:
        """End the run and wait until the store has all of it, or has taken nothing for `patience` seconds."""
        try:
            write_entry(self.run, {"end": status, "timestamp": now()})
        except OSError as error:  # no room even for that: `src.sync` writes it
            logger.warning("%s: %s", self.run.journal, error.strerror)
            patience = 0
        self._closing, since = True, time.monotonic()
        self._wake.set()
        while self._thread.is_alive() and time.monotonic() - max(since, self._uploader.last_success) < patience:
            self._thread.join(0.05)
        if not self.offsets.done:
            message = "%s: not all of it reached MLflow (%s); %s brings the rest"
            logger.warning(message, self.run.path, self._trouble, command_line("sync"))
        elif self.offsets.left_out:
            message, lacking = "%s: MLflow lacks %s; %s says why, and tries again", sorted(self.offsets.left_out)
            logger.warning(message, self.run.path, enumerate_some(lacking), command_line("sync"))

    def _upload(self) -> None:
        try:
            self._upload_until_done()
        finally:
            self._lock.release()

    def _upload_until_done(self) -> None:
        """Deliver at every flush, and after an outage again and again, until the run has ended and all is there."""
        failures = 0
        while not self.offsets.done:
            pause = min(2.0 ** min(failures - 2, 10), 1.0 if self._closing else MAX_BACKOFF)  # half a second at first
            self._wake.wait(pause if failures else None)
            self._wake.clear()
            try:
                self._uploader.upload()
            except DamagedError as error:  # somebody writes to the directory of a run at work
                self._trouble = str(error)
                logger.warning("%s; MLflow is sent nothing more", error)
                break
            except (OutageError, OSError) as error:  # or the disk is full that the offsets are saved on
                failures, self._trouble = failures + 1, str(error)
                if failures == 2:  # one is a hiccup
                    logger.warning("MLflow takes nothing (%s); %s keeps all until it does", error, self.run.path)
                if self._closing and isinstance(error, DeletedRunError):
                    break  # nobody restores it within some seconds
            else:
                if failures > 1:
                    logger.warning("MLflow is back and has all of %s so far", self.run.path)
                failures = 0


@contextmanager
def track_run(
    store: Store, config: Config | CompareConfig, run: RunDirectory, tags: Mapping[str, str],
    replaces: EarlierRun | None,
    lock: FileLock | None = None,
) -> Iterator[Tracker]:  # fmt: skip
    """An MLflow run that ends as what it was: FINISHED, FAILED, or KILLED when it was interrupted.

    Where the directory holds a start already, that MLflow run goes on.

    Args:
        store: client and experiment, from `open_store`.
        config: logged flattened, as parameters.
        run: gets spool, journal and the run's id.
        tags: logged beside the name.
        replaces: an earlier start of the same cell, which is ended and deleted.
        lock: the directory's lock, if the caller has it already.

    Raises:
        RuntimeError: if another process is at work in the run directory.
    """
    lock = lock or acquire_lock(run)
    where = {"uri": portable(store.address, run), "login": store.has_login, "experiment": config.tracking.experiment}
    if read_start(run) is None:
        start = where | {
            "name": run_name(config), "timestamp": now(), "tags": dict(tags) | {START_ID: uuid4().hex},
            "replaces": replaces and asdict(replaces),
            "params": {key: str(value) for key, value in flatten(plain(config)).items()},
        }  # fmt: skip
        write_entry(run, {"start": start})
    else:
        write_entry(run, {"resume": where, "tags": dict(tags), "timestamp": now()})
    tracker, status = Tracker(store, run, lock), "KILLED"
    try:
        yield tracker
        status = "FINISHED"
    except Exception as error:
        if is_disk_full(error):
            run.reserve.unlink(missing_ok=True)  # the last line needs room
        else:
            status = "FAILED"
        raise
    finally:
        patience = config.tracking.patience
        tracker.close(status, min(patience, INTERRUPTED_TIMEOUT) if status == "KILLED" else patience)


def acquire_lock(run: RunDirectory) -> FileLock:
    """The lock on a run directory, which is made if it is not there.

    Raises:
        RuntimeError: if another process is at work there.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    lock = try_lock(run)
    if lock is None:
        raise RuntimeError(f"{run.path}: another process is at work there")
    return lock


def refuse_deleted_run(store: Store, run: RunDirectory) -> None:
    """Raises RequestError if somebody deleted the MLflow run that the directory's next start would go on with."""
    offsets = read_offsets(run)
    if offsets is None or not offsets.run_id or not is_of_store(run, offsets, store.uri):
        return
    try:
        ask_for_run(store.client, offsets.run_id)
    except DeletedRunError as error:
        raise RequestError(f"{run.path}: {error}") from error
    except OutageError:
        pass  # it is asked again when it answers
