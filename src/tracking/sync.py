"""What MLflow misses of a run whose process is gone."""

from __future__ import annotations

from ..config import RequestError, TrackingConfig
from ..rundir import RunDirectory
from .journal import end_if_killed, hold, read_start
from .offsets import is_delivered
from .store import open_store
from .uploader import Delivery


def sync_run(run: RunDirectory, uri: str | None) -> str | None:
    """Bring MLflow what it misses of a run, and say what became of it; None if it missed nothing.

    Args:
        run: a run that was killed ends as KILLED; one that still goes on is left alone.
        uri: the store; None is the one that the run was meant for.

    Raises:
        RequestError: if the store is not known or cannot be reached.
        OutageError: if the store fails on the way; the next call goes on from there.
    """
    start = read_start(run)
    if start is None or (uri is None and is_delivered(run)):
        return None
    held = hold(run)
    if held is None:
        return "still at work, left alone"
    with held:
        end_if_killed(run)
        target = uri or start["uri"]
        if target is None:
            raise RequestError(
                f"tracking.uri: {run.path} does not say where it goes, as the address may hold a password; give it"
            )
        delivery = Delivery(open_store(TrackingConfig(uri=target, experiment=start["experiment"])), run)
        delivery.deliver()
    return "all of it is in MLflow now"
