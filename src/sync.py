"""`python -m src.sync`: bring MLflow what it missed while it was gone, and end the runs that were killed."""

from __future__ import annotations

from omegaconf import DictConfig

from .cli import launch
from .config import RequestError
from .config.commands import SyncConfig
from .config.resolve import resolve_sync_config
from .rundir.find import find_runs
from .system.files import DamagedError


def sync(composed: DictConfig) -> None:
    """Deliver every run that is asked for; one that fails does not keep back the others.

    Raises:
        RequestError: at the end, naming each run that its store does not have all of.
    """
    request = resolve_sync_config(composed)
    runs = find_runs(request.run)
    from .tracking.refusals import OutageError
    from .tracking.sync import SyncOutcome, describe_lacking, sync_run

    problems, complete = [], 0
    for run in runs:
        try:
            outcome = sync_run(run, request.tracking.uri)
        except DamagedError as error:
            problems.append(f"{error}; the command of that run with force=true makes it again")
            continue
        except (OutageError, RequestError) as error:
            problems.append(f"{run.path}: {error}")
            continue
        if outcome is SyncOutcome.LACKING:
            problems.append(
                f"{run.path}: {describe_lacking(run)}; what is damaged or gone there, the command of that run with "
                "force=true makes again"
            )
            continue
        complete += outcome is SyncOutcome.COMPLETE
        if outcome is not SyncOutcome.COMPLETE:
            print(f"{run.path}: {outcome.value}")
    print(f"{complete} of {len(runs)} runs missed nothing", flush=True)
    if problems:
        raise RequestError("\n".join(problems))


if __name__ == "__main__":
    launch(sync, "sync", SyncConfig)
