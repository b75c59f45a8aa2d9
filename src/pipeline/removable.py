"""What of a run directory could go, and is needed neither by a run or analysis that is not done nor by a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..config import Config
from ..config.track import schedule_of
from ..rundir import RunDirectory
from ..rundir.kept import discard_clouds, lies_within, steps_kept
from ..rundir.state import load_measured_config
from ..tracking.journal import try_lock
from ..tracking.offsets import is_uploaded

PARTIAL = re.compile(r"\.\d+\..+|.+\.damaged")
"""What writers that were killed left, and what was set aside because it was damaged."""


@dataclass(frozen=True)
class Removable:
    kind: str
    """One of `REMOVABLE`."""
    run: RunDirectory
    files: Sequence[Path]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(path.lstat().st_size for path in self.files if path.exists())

    def remove(self) -> None:
        if self.kind == "clouds":
            discard_clouds(self.run, "none")
        for path in self.files:
            path.unlink(missing_ok=True)


def discard_left_over(run: RunDirectory, config: Config) -> None:
    """The clouds of a run that is done and that `clouds.keep` does not ask for: its process was killed before them.

    They stay while another process, or an analysis that is not done, has use of them.
    """
    if config.clouds.keep != "all" and any(find_removable(run, ["clouds"])):
        schedule = schedule_of(load_measured_config(run))
        discard_clouds(run, config.clouds.keep, steps_kept(schedule))


def find_removable(run: RunDirectory, kinds: Sequence[str]) -> Iterator[Removable]:
    """What could go of a run directory, by kind. Nothing of one that a process is at work in; of one that is not done
    only what no start reads."""
    if not _is_idle(run):
        return
    for kind, files in _files_of(run).items():
        own = [path for path in files if lies_within(run, path)]
        if kind in kinds and own:
            yield Removable(kind, run, own)


def _files_of(run: RunDirectory) -> dict[str, list[Path]]:
    found = {"partial": [path for path in _own_files(run) if PARTIAL.fullmatch(path.name)]}
    if run.read_status().get("state") != "done":
        return found
    steps = sorted(run.steps())
    if is_uploaded(run):  # MLflow has them as they are
        pages = [*run.figures.glob("*"), *(run.picture(step) for step in steps)]
        found["pages"] = [path for path in pages if path.is_file() and not PARTIAL.fullmatch(path.name)]
    found["checkpoints"] = [path for path in (run.last, run.base()) if path.exists()]
    # The last adapter is what was trained; nothing reads those before it.
    trained = [step for step in steps if run.adapter(step).is_dir()]
    found["adapters"] = [
        path for step in trained[:-1] for path in sorted(run.adapter(step).glob("*")) if path.is_file()
    ]
    analyses = [RunDirectory(path) for path in run.path.glob("analysis/*") if path.is_dir()]
    if all(_is_idle(one) and one.read_status().get("state") == "done" for one in analyses):
        found["clouds"] = [path for step in steps for path in run.cloud_files(step)]
    return found


def _own_files(run: RunDirectory) -> Iterator[Path]:
    """Files of the directory itself, its steps and its figures; an analysis below it is a run of its own."""
    yield from (path for path in run.path.glob("*") if path.is_file())
    for folder in (*run.steps().values(), run.figures):
        yield from (path for path in folder.rglob("*") if path.is_file())


def _is_idle(run: RunDirectory) -> bool:
    """Whether no process is at work there."""
    if not run.lock.exists():
        return True
    with suppress(OSError):
        lock = try_lock(run)
        if lock is not None:
            lock.release()
            return True
    return False
