"""`python -m src.sync`: bring MLflow what it missed while it was gone, and end the runs that were killed."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from .command import launch
from .config import RequestError
from .options import SyncConfig
from .resolve import resolve_sync_config
from .rundir import ROOT, RunDirectory


def sync(composed: DictConfig) -> None:
    """Deliver every run that is asked for; one that fails does not keep back the others.

    Raises:
        RequestError: at the end, naming each run whose store could not take it.
    """
    request = resolve_sync_config(composed)
    runs = find_runs(request.run)
    from .delivery import OutageError
    from .tracking import sync_run

    problems, complete = [], 0
    for run in runs:
        try:
            said = sync_run(run, request.tracking.uri)
        except (OutageError, RequestError) as error:
            problems.append(f"{run.path}: {error}")
            continue
        complete += said is None
        if said:
            print(f"{run.path}: {said}")
    print(f"{complete} of {len(runs)} runs missed nothing", flush=True)
    if problems:
        raise RequestError("\n".join(problems))


def find_runs(wanted: str | None) -> list[RunDirectory]:
    """The run directory that is named, else all that there are.

    Raises:
        RequestError: if it is none, or holds nothing for MLflow.
    """
    if wanted is None:
        return [RunDirectory(path.parent) for path in sorted(ROOT.rglob("journal.jsonl"))]
    found = RunDirectory(Path(wanted).expanduser())
    if not found.journal.is_file():
        raise RequestError(f"run={wanted}: no run directory with a journal.jsonl; leave run out to take all there are")
    return [found]


if __name__ == "__main__":
    launch(sync, "sync", SyncConfig)
