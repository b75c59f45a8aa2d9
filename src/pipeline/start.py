"""The frame around a measurement: the directory's lock, its log file, signals, and a status that says how it ended."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from .. import PACKAGE
from ..config import Config
from ..config.identity import config_hash
from ..config.memory import count_workers
from ..config.schedule import Schedule
from ..measure.pool import WorkerPool
from ..rundir import RunDirectory
from ..rundir.state import initialize
from ..system.files import is_disk_full
from ..system.jsonl import size_of
from ..system.secrets import RedactingFormatter
from ..system.signals import SignalHandler, handle_signals
from ..system.version import git_commit
from ..tracking.journal import EarlierRun, find_earlier_run
from ..tracking.store import Store, write_views
from ..tracking.tracker import acquire_lock, refuse_deleted_run, track_run
from .checkpoint_task import finish_checkpoint
from .session import Session

RESERVED = 2**18
"""Bytes that a run at work keeps for its last words."""

logger = logging.getLogger(__name__)


@dataclass
class StartedRun:
    """A run directory that this process is at work in."""

    lock: FileLock
    replaces: EarlierRun | None
    """The earlier start that this one takes the place of (`force=true`)."""
    signals: SignalHandler
    state: str = "done"
    """How the run ends, if it ends well: an analysis of a run that is not done is `partial`, as is a
    watched training that ended early."""
    summary: dict[str, Any] = field(default_factory=dict)
    """What the run comes to; goes into its status when it is done."""


@contextmanager
def start_run(
    store: Store, config: Config, run: RunDirectory, *, is_guest: bool = False
) -> Iterator[StartedRun]:  # fmt: skip
    """Lock, log file, signal handlers and status around a measurement; however the block ends, the status says so.

    The measurement goes on with what an earlier start left in the directory, unless the configuration says `force`.

    Args:
        is_guest: the process is somebody else's, and so are its signals.

    Raises:
        RequestError: if the MLflow run of the earlier start was deleted.
        RuntimeError: if another process is at work in the directory.
    """
    if not config.force:
        refuse_deleted_run(store, run)
    lock, hashed = acquire_lock(run), config_hash(config)
    replaces = find_earlier_run(run) if config.force else None
    initialize(run, config, reset=config.force)
    with _log_file(run.log) as handler:
        try:
            run.reserve.write_bytes(bytes(RESERVED))
            write_views(store)
            with nullcontext(SignalHandler()) if is_guest else handle_signals() as signals:
                started = StartedRun(lock, replaces, signals)
                yield started
            started.summary["views"] = write_views(store)
            spooled = size_of(run.spool)
            run.write_status(started.state, config_hash=hashed, summary=started.summary, spool_bytes=spooled)
        except BaseException as error:
            is_interrupted = is_disk_full(error) or not isinstance(error, Exception)
            run.reserve.unlink(missing_ok=True)
            with suppress(OSError) if is_disk_full(error) else nullcontext():
                state = "interrupted" if is_interrupted else "failed"
                run.write_status(state, config_hash=hashed, reason=f"{type(error).__name__}: {error}")
            # The traceback is for the file; the terminal gets one message.
            trace = (type(error), error, error.__traceback__)
            handler.handle(logger.makeRecord(logger.name, logging.ERROR, __file__, 0, "the run failed", (), trace))
            raise
        finally:
            run.reserve.unlink(missing_ok=True)


class _LogFile(logging.FileHandler):
    """A log file that is left out where the disk is full: each line would print a traceback."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is logging's)
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def _log_file(path: Path) -> Iterator[logging.Handler]:
    """Everything that this package logs goes to the file as well."""
    handler = _LogFile(path)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    package = logging.getLogger(PACKAGE)
    package.addHandler(handler)
    try:
        yield handler
    finally:
        package.removeHandler(handler)
        handler.close()


@contextmanager
def open_session(
    store: Store, config: Config, run: RunDirectory, schedule: Schedule, started: StartedRun, tags: dict[str, str],
    replaces: EarlierRun | None, source: RunDirectory | None = None, last_checkpoint: int | None = None, *,
    trained: str = "",
) -> Iterator[Session]:  # fmt: skip
    """The MLflow run, the worker processes and the session of a run that was started.

    Args:
        replaces: the earlier run that this one takes the place of.
        source, last_checkpoint, trained: of `Session`.
    """
    with (
        track_run(store, config, run, tags, replaces, started.lock) as tracker,
        WorkerPool(count_workers(config.tda), finish_checkpoint) as pool,
    ):
        yield Session(config, run, schedule, tracker, pool, source, last_checkpoint, trained=trained)


def run_tags(config: Config, kind: str, probe_hash: str, **more: str) -> dict[str, str]:
    """The tags that a run of this kind, `cell`, `analysis` or `track`, has in MLflow."""
    return {
        "model": config.model.name, "stage": config.model.stage, "weights": config.model.weights,
        "objective": config.objective.name, "tda": config.tda.name, "seed": str(config.seed), "sweep": config.sweep,
        "config_hash": config_hash(config), "git_commit": git_commit(), "kind": kind, "probe_hash": probe_hash, **more,
    }  # fmt: skip
