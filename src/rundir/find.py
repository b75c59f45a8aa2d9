"""Which run directory is meant."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from pathlib import Path

from ..config import RequestError
from ..system.files import DamagedError, read_json
from ..system.invocation import command_line
from .kept import clouds_kept
from .layout import CONFIG_FILE, JOURNAL_FILE, MLFLOW_ID_FILE, ROOT, RunDirectory

logger = logging.getLogger(__name__)


def read_mlflow_id(run: RunDirectory) -> str | None:
    """MLflow's id of a run; None if it has none yet.

    The file is the bare id, as anyone would read it; what is checked is the same id in `delivered.json`, which counts.

    Raises:
        DamagedError: if what is there is no id, and nothing else says which it was.
    """
    with suppress(DamagedError):
        if noted := read_json(run.offsets).get("run_id"):
            return str(noted)
    if not run.mlflow_run_id.exists():
        return None
    text = run.mlflow_run_id.read_bytes().decode("utf-8", "replace").strip()
    if not re.fullmatch(r"[\w-]+", text, re.ASCII):
        raise DamagedError(run.mlflow_run_id, f"it is no id of MLflow; {command_line('sync')} writes it again")
    return text


def runs_by_mlflow_id() -> dict[str, RunDirectory]:
    """Every run directory under multirun/ that MLflow knows, by its id there; damaged ids are named and left out."""
    found = {}
    for path in sorted(ROOT.rglob(MLFLOW_ID_FILE)):
        run = RunDirectory(path.parent)
        try:
            found[read_mlflow_id(run)] = run
        except DamagedError as error:
            logger.warning("%s", error)
    return {run_id: run for run_id, run in found.items() if run_id}


def find_run(wanted: str) -> RunDirectory:
    """The run directory that is named, or whose MLflow run has this id.

    Raises:
        RequestError: if there is none, or it holds no clouds.
    """
    found = runs_by_mlflow_id().get(wanted) or RunDirectory(Path(wanted).expanduser())
    if not found.config.is_file() and found.journal.is_file():
        raise RequestError(f"run={wanted}: {found.config} is gone; the command that made the run writes it again")
    if not found.config.is_file():
        known = sorted(str(path.parent) for path in ROOT.glob(f"*/*/*/*/{CONFIG_FILE}"))
        raise RequestError(
            f"run={wanted}: neither a run directory nor its MLflow id; there are: {', '.join(known) or 'none yet'}"
        )
    kept = clouds_kept(found)
    if kept != "all":
        raise RequestError(
            f"run={wanted}: its clouds were removed on purpose when it was done (clouds.keep={kept}, or python -m "
            "src.clean); the command that made the run with force=true clouds.keep=all makes them again"
        )
    if not found.clouds(0).is_file():
        raise RequestError(f"run={wanted}: holds no clouds; it was made with tda=none, or is itself an analysis")
    return found


def find_runs(wanted: str | None) -> list[RunDirectory]:
    """The run directory that is named, else all that there are.

    Raises:
        RequestError: if it is none, or holds nothing for MLflow.
    """
    if wanted is None:
        return [RunDirectory(path.parent) for path in sorted(ROOT.rglob(JOURNAL_FILE))]
    found = RunDirectory(Path(wanted).expanduser())
    if not found.journal.is_file():
        raise RequestError(f"run={wanted}: no run directory with a {JOURNAL_FILE}; leave run out to take all there are")
    return [found]
