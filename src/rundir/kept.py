"""Clouds that are removed on purpose, and the note that says so."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..config.schedule import Schedule
from ..system.files import DamagedError, read_json, write_json
from .layout import RunDirectory


def discard_clouds(run: RunDirectory, keep: str, steps: Iterable[int] = ()) -> None:
    """Remove the clouds of a run that is done.

    Args:
        keep: `all`, `last` or `none`, as `clouds.keep`.
        steps: those whose clouds stay under `last`.
    """
    stay = run.steps().keys() if keep == "all" else set(steps) if keep == "last" else set()
    files = [path for step in run.steps().keys() - stay for path in run.cloud_files(step) if lies_within(run, path)]
    if not files:
        return
    write_json(run.kept, {"keep": keep})  # first: what is gone on purpose is not damaged
    for path in files:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in files}:
        with suppress(OSError):  # it holds other files
            folder.rmdir()


def steps_kept(schedule: Schedule) -> set[int]:
    """Whose clouds stay under `clouds.keep=last`: step 0, and the last checkpoint with its pairs."""
    last = schedule.checkpoints[-1]
    return {0, last, *(step for pair in schedule.pairs(last) for step in pair)}


def lies_within(run: RunDirectory, path: Path) -> bool:
    """Whether a file is the run's own: a link may lead elsewhere."""
    return path.resolve().is_relative_to(run.path.resolve())


def clouds_kept(run: RunDirectory) -> str:
    """`all`, or what of the clouds was kept where some were removed on purpose."""
    if not run.kept.exists():
        return "all"
    try:
        return str(read_json(run.kept)["keep"])
    except (DamagedError, KeyError):
        return "none"  # at least some are gone
