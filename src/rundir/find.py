"""Which run directory is meant."""

from __future__ import annotations

from pathlib import Path

from ..config import RequestError
from .layout import CONFIG_FILE, JOURNAL_FILE, MLFLOW_ID_FILE, ROOT, RunDirectory


def runs_by_mlflow_id() -> dict[str, RunDirectory]:
    """Every run directory under multirun/ that MLflow knows, by its id there."""
    found = sorted(ROOT.rglob(MLFLOW_ID_FILE))
    return {path.read_text().strip(): RunDirectory(path.parent) for path in found}


def find_run(wanted: str) -> RunDirectory:
    """The run directory that is named, or whose MLflow run has this id.

    Raises:
        RequestError: if there is none, or it holds no clouds.
    """
    found = runs_by_mlflow_id().get(wanted) or RunDirectory(Path(wanted).expanduser())
    if not found.config.is_file():
        known = sorted(str(path.parent) for path in ROOT.glob(f"*/*/*/*/{CONFIG_FILE}"))
        raise RequestError(
            f"run={wanted}: neither a run directory nor its MLflow id; there are: {', '.join(known) or 'none yet'}"
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
