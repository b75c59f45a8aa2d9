"""What of a run directory could go, and is needed neither by a run or analysis that is not done nor by a comparison."""

from __future__ import annotations

import glob
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from omegaconf.errors import OmegaConfBaseException

from ..config import Config
from ..config.paths import expand
from ..config.track import schedule_of
from ..rundir import ROOT, RunDirectory
from ..rundir.kept import discard_clouds, lies_within, steps_kept
from ..rundir.layout import CONFIG_FILE
from ..rundir.state import load_config, load_measured_config
from ..system.files import DamagedError
from ..tracking.address import root_of
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

    def remove(self, in_use: Collection[Path]) -> tuple[int, int]:
        """Remove what can still go: a process may have begun since it was listed, and none begins meanwhile.

        Args:
            in_use: from `adapters_in_use`, asked again.

        Returns:
            How many files went, and their bytes.
        """
        with ExitStack() as held:
            for place in _read_by(self.run, self.kind):
                lock = _lock(place)
                if lock is None:
                    return 0, 0
                held.callback(lock.release)
            still = set(_own_of(self.run, in_use).get(self.kind, ()))
            going = Removable(self.kind, self.run, [path for path in self.files if path in still])
            size = going.size
            if going.files and self.kind == "clouds":
                discard_clouds(self.run, "none")
            for path in going.files:
                path.unlink(missing_ok=True)
        return len(going.files), size


def discard_left_over(run: RunDirectory, config: Config) -> None:
    """The clouds of a run that is done and that `clouds.keep` does not ask for: its process was killed before them.

    They stay while another process, or an analysis that is not done, has use of them.
    """
    if config.clouds.keep != "all" and any(find_removable(run, ["clouds"], in_use=())):
        schedule = schedule_of(load_measured_config(run))
        discard_clouds(run, config.clouds.keep, steps_kept(schedule))


def find_removable(run: RunDirectory, kinds: Sequence[str], in_use: Collection[Path]) -> Iterator[Removable]:
    """What could go of a run directory, by kind. Nothing of one that a process is at work in; of one that is not done
    only what no start reads."""
    if not _is_idle(run):
        return
    for kind, files in _own_of(run, in_use).items():
        if kind in kinds and files and all(map(_is_idle, _read_by(run, kind))):
            yield Removable(kind, run, files)


def adapters_in_use(runs: Iterable[RunDirectory]) -> set[Path]:
    """Folders that runs which are not done begin from, or read: those beside `runs`, in the same multirun/."""
    found = set[Path]()
    for root in {root_of(run) or ROOT for run in runs}:
        for path in root.rglob(CONFIG_FILE):
            run = RunDirectory(path.parent)
            if run.read_status().get("state") != "done":
                found.update(_begins_from(run, root))
    return found


def _begins_from(run: RunDirectory, root: Path) -> Iterator[Path]:
    try:
        config: Any = load_config(run)
    except (DamagedError, OmegaConfBaseException, OSError):
        return  # it begins from nothing until its command is given again
    track = getattr(config, "track", None)
    patterns = [config.adapter.resume, *(track.checkpoints or () if track else ())]
    for pattern in filter(None, patterns):
        for found in glob.glob(str(root.resolve().parent / expand(str(pattern)))):  # noqa: PTH207 (absolute ones, too)
            yield Path(found).resolve()


def _own_of(run: RunDirectory, in_use: Collection[Path]) -> dict[str, list[Path]]:
    """Files by kind, without those that a link leads to elsewhere."""
    found = _files_of(run, in_use)
    return {kind: [path for path in files if lies_within(run, path)] for kind, files in found.items()}


def _files_of(run: RunDirectory, in_use: Collection[Path]) -> dict[str, list[Path]]:
    found = {"partial": [path for path in _own_files(run) if PARTIAL.fullmatch(path.name)]}
    if run.read_status().get("state") != "done":
        return found
    steps = sorted(run.steps())
    if is_uploaded(run):  # MLflow has them as they are
        pages = [*run.figures.glob("*"), *(run.picture(step) for step in steps)]
        found["pages"] = [path for path in pages if path.is_file() and not PARTIAL.fullmatch(path.name)]
    found["checkpoints"] = [path for path in (run.last, run.base()) if path.exists()]
    # The last adapter is what was trained; those before it are read by runs that go on from them.
    trained = [run.adapter(step) for step in steps if run.adapter(step).is_dir()]
    found["adapters"] = [
        path for adapter in trained[:-1] if not any(adapter.resolve().is_relative_to(used) for used in in_use)
        for path in sorted(adapter.glob("*")) if path.is_file()
    ]  # fmt: skip
    if all(one.read_status().get("state") == "done" for one in _analyses(run)):
        found["clouds"] = [path for step in steps for path in run.cloud_files(step)]
    return found


def _analyses(run: RunDirectory) -> list[RunDirectory]:
    return [RunDirectory(path) for path in sorted(run.path.glob("analysis/*")) if path.is_dir()]


def _read_by(run: RunDirectory, kind: str) -> list[RunDirectory]:
    """The directories whose processes read such files of a run."""
    return [run, *_analyses(run)] if kind == "clouds" else [run]


def _own_files(run: RunDirectory) -> Iterator[Path]:
    """Files of the directory itself, its steps and its figures; an analysis below it is a run of its own."""
    yield from (path for path in run.path.glob("*") if path.is_file())
    for folder in (*run.steps().values(), run.figures):
        yield from (path for path in folder.rglob("*") if path.is_file())


def _is_idle(run: RunDirectory) -> bool:
    """Whether no process is at work there."""
    if not run.lock.exists():
        return True
    lock = _lock(run)
    if lock is not None:
        lock.release()
    return lock is not None


def _lock(run: RunDirectory) -> FileLock | None:
    """The lock on a directory; None if another process has it, or it cannot be taken."""
    try:
        return try_lock(run)
    except OSError:
        return None
