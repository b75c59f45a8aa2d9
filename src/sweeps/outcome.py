"""After a sweep's last cell: what became of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from ..config import Config, RequestError
from ..rundir import RunDirectory
from ..rundir.naming import also_in
from ..rundir.state import load_config
from ..system.console import show_rows
from ..system.jsonl import append, read_on
from .plan import planned

logger = logging.getLogger(__name__)

failures: dict[Path, str] = {}
"""Why a cell of this process failed before its directory could say so."""


def join(run: RunDirectory, config: Config) -> None:
    """Let a comparison of this sweep find a cell that was done under another name; it stays in the other, too."""
    tag = also_in(config.sweep)
    if config.sweep in (load_config(run).sweep, Config().sweep):
        return
    if not any(tag in entry.get("tags", {}) for entry, _ in read_on(run.journal)):
        append(run.journal, {"tags": {tag: "true"}})
        from ..tracking.sync import sync_run
        from ..tracking.uploader import OutageError

        try:
            sync_run(run, None)
        except (OutageError, RequestError) as error:
            logger.warning("%s: MLflow does not know of sweep=%s yet (%s)", run.path, config.sweep, error)


def show_outcome(told: Mapping[int, str]) -> int | None:
    """A table of what became of each cell of the sweep; 1 if not all are done, None if there was no sweep.

    Args:
        told: what went wrong in cells that other processes ran, by their place in the sweep.
    """
    if not planned:
        return None
    sweep, rows, reasons = planned[-1], [], []
    for number, cell in enumerate(sweep.cells):
        status = cell.run.read_status()
        state, reason = str(status.get("state", "missing")), str(status.get("reason", ""))
        if cell.run.path in failures:
            state, reason = "failed", failures[cell.run.path]
        if number in told and state in ("missing", "running"):
            state, reason = "failed", told[number]
        if state == "done" and status["at"] < sweep.begun:
            state = "skipped"
        if state not in ("done", "skipped"):
            reasons.append(f"{cell.name}: {state}, {(reason.splitlines() or ['never started'])[0]}")
        rows.append([cell.name, state, str(cell.run.path)])
    show_rows(["cell", "", "directory"], rows)
    if reasons:
        print(*reasons, sep="\n")
        print(f"{len(reasons)} of {len(rows)} cells are not done; the same command goes on with them", flush=True)
    return int(bool(reasons))
