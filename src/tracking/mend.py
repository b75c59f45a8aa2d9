"""Spool and journal of an earlier start: what is gone on with, and what is begun anew because it is damaged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from ..rundir import RunDirectory
from ..system.files import DamagedError, replacing, set_aside
from ..system.jsonl import append_jsonl, check_jsonl, read_jsonl, size_of
from .journal import EarlierRun, find_earlier_run, read_start
from .offsets import read_offsets

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mended:
    """What `mend_log` found."""

    numbers_lost: bool = False
    """Whether numbers are gone that only another training gives."""
    replaces: EarlierRun | None = None
    """The MLflow run that the next one takes the place of: a point that was sent twice would be there twice."""


def mend_log(run: RunDirectory, spool_bytes: int = 0) -> Mended:
    """Make spool and journal such that a start can go on with them.

    Args:
        run: whoever calls holds its lock.
        spool_bytes: what the spool had when the state was saved that training goes on from.
    """
    try:
        check_jsonl(run.spool, spool_bytes)
    except DamagedError as error:
        if run.spool.exists():
            set_aside(run.spool, error.reason)
        else:
            logger.warning("%s; its numbers are made again", error)
        return Mended(numbers_lost=True, replaces=begin_anew(run))
    offsets = read_offsets(run)
    try:
        check_jsonl(run.journal, offsets.journal if offsets else 0)
        if read_start(run) is None and (run.mlflow_run_id.exists() or offsets):
            raise DamagedError(run.journal, "it is empty")
        if offsets and offsets.metrics > size_of(run.spool):
            raise DamagedError(run.spool, "numbers that MLflow has are gone")
    except DamagedError as error:
        logger.warning("%s; MLflow is sent the run again, in the place of the one that it has", error)
        return Mended(replaces=begin_anew(run))
    return Mended()


def drop_numbers(run: RunDirectory, is_void: Callable[[str, int], bool]) -> EarlierRun | None:
    """Take numbers that another training makes anew out of the spool.

    Args:
        run: whoever calls holds its lock, and has called `mend_log`.
        is_void: of a key and its step, whether what was logged of it counts no more.

    Returns:
        The MLflow run that has those numbers, which the next one takes the place of; None if there is none.
    """
    lines = [line for line, _ in read_jsonl(run.spool)]
    left = [
        line | {"metrics": {key: value for key, value in line["metrics"].items() if not is_void(key, line["step"])}}
        for line in lines
    ]
    if left == lines:
        return None
    replaces = begin_anew(run)  # first: a start that is killed after it sends MLflow nothing twice
    with replacing(run.spool) as partial:
        partial.touch()
        for line in left:
            if line["metrics"]:
                append_jsonl(partial, line)
    return replaces


def begin_anew(run: RunDirectory) -> EarlierRun | None:
    """Let the next start be another MLflow run; returns the one that it takes the place of."""
    replaces = find_earlier_run(run)
    if run.journal.exists():
        run.journal.replace(run.journal.with_name(f"{run.journal.name}.damaged"))
    for path in (run.offsets, run.mlflow_run_id):
        path.unlink(missing_ok=True)
    return replaces
