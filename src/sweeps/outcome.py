"""After a sweep's last cell: what became of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..config import Config, RequestError
from ..rundir import RunDirectory
from ..rundir.naming import also_in
from ..rundir.state import load_config
from ..system.console import show_rows
from ..system.files import DamagedError
from .plan import Cell, Sweep, planned_sweep

logger = logging.getLogger(__name__)


def add_to_sweep(run: RunDirectory, config: Config) -> None:
    """Let a comparison of this sweep find a cell that was done under another name; it stays in the other, too."""
    if config.sweep in (load_config(run).sweep, Config().sweep):
        return
    from ..tracking.refusals import OutageError
    from ..tracking.sync import add_tag

    try:
        add_tag(run, also_in(config.sweep), "true")
    except (OutageError, RequestError, DamagedError) as error:
        logger.warning("%s: MLflow does not know of sweep=%s yet (%s)", run.path, config.sweep, error)


def record_failure(run: RunDirectory, error: Exception) -> None:
    """Keep why a cell of this process failed, for the table at the end of the sweep."""
    sweep = planned_sweep()
    if sweep:
        sweep.failures[run.path] = f"{type(error).__name__}: {error}"


def show_outcome(job_failures: Mapping[int, str]) -> int | None:
    """A table of what became of each cell of the sweep; 1 if not all are done, None if there was no sweep.

    Args:
        job_failures: what went wrong in cells that other processes ran, by their place in the sweep.
    """
    sweep = planned_sweep()
    if sweep is None:
        return None
    rows, reasons = [], []
    for number, cell in enumerate(sweep.cells):
        state, reason = _outcome(sweep, cell, job_failures.get(number))
        if state not in ("done", "skipped"):
            reasons.append(f"{cell.name}: {state}, {(reason.splitlines() or ['never started'])[0]}")
        rows.append([cell.name, state, str(cell.run.path)])
    show_rows(["cell", "", "directory"], rows)
    if reasons:
        print(*reasons, sep="\n")
        print(f"{len(reasons)} of {len(rows)} cells are not done; the same command goes on with them", flush=True)
    return int(bool(reasons))


def _outcome(sweep: Sweep, cell: Cell, job_failure: str | None) -> tuple[str, str]:
    """State of a cell, and the reason if it is not done."""
    status = cell.run.read_status()
    state, reason = str(status.get("state", "missing")), str(status.get("reason", ""))
    if cell.run.path in sweep.failures:
        return "failed", sweep.failures[cell.run.path]
    if job_failure and state in ("missing", "running"):
        return "failed", job_failure
    if state == "done" and status["at"] < sweep.begun:
        return "skipped", ""
    return state, reason
