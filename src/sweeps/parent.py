"""Between the process that a command was started in and those that run its cells.

Hydra hands on one exception of a whole sweep and nothing of the other cells, so each cell writes its result to a file.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import FrameType

from ..rundir import ROOT
from ..system.files import replacing
from ..system.secrets import redacted
from ..system.signals import Interrupted, announce

RESUME_HINT = "the same command goes on with it"


@dataclass(frozen=True)
class JobResult:
    """How a cell ended."""

    cell: tuple[str, ...]
    """Its overrides."""
    status: int
    """As an exit status."""
    message: str = ""


@dataclass(frozen=True)
class ParentProcess:
    """The process that a command was started in, as the processes of its cells know it."""

    host: str
    process: int
    folder: Path
    visible: str | None
    """CUDA_VISIBLE_DEVICES there; submitit overwrites it."""

    @property
    def is_current(self) -> bool:
        return (self.host, self.process) == (socket.gethostname(), os.getpid())

    def write_result(self, number: int, result: JobResult, *, replace_earlier: bool = True) -> None:
        """`number`: the cell's place in the sweep; an earlier start of it may have written one already."""
        path = self.folder / f"{number}.json"
        if replace_earlier or not path.exists():
            with replacing(path) as partial:
                partial.write_text(json.dumps(redacted(vars(result))))

    def collect_results(self) -> dict[int, JobResult]:
        """The results of all cells by their place in the sweep; their folder is removed."""
        found = sorted((int(path.stem), path) for path in self.folder.glob("*.json"))
        stored = {number: json.loads(path.read_text()) for number, path in found}
        shutil.rmtree(self.folder, ignore_errors=True)
        return {n: JobResult(tuple(one["cell"]), one["status"], one["message"]) for n, one in stored.items()}

    def detach(self) -> None:
        """Where joblib runs the cell: leave the terminal's group, whose Ctrl-C the parent process forwards.

        Raises:
            Interrupted: if the parent process was asked to end before this cell began.
        """
        mine = self.folder / f"{os.getpid()}.worker"
        if not mine.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            mine.touch()
            os.setsid()
            multiprocessing.set_start_method("spawn", force=True)  # joblib's own does not outlive its processes
        if self._signal_file.exists():
            raise Interrupted(int(self._signal_file.read_text()))

    def forward_signals(self) -> None:
        """SIGTERM and SIGINT end the cells that joblib runs, each of which saves itself; the second one, at once."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._forward)

    def _forward(self, signum: int, frame: FrameType | None) -> None:
        workers = list(self.folder.glob("*.worker"))
        if self._signal_file.exists() or not workers:
            announce(signum)
            raise Interrupted(signum)
        self._signal_file.write_text(str(signum))
        for path in workers:
            with suppress(ProcessLookupError):
                os.kill(int(path.stem), signal.SIGTERM)

    @property
    def _signal_file(self) -> Path:
        return self.folder / "ending"

    def forwarded_signal(self) -> int:
        """The signal that was forwarded to the cells; 0 if there was none."""
        return int(self._signal_file.read_text()) if self._signal_file.exists() else 0


def distinguish(results: Mapping[int, JobResult]) -> dict[int, JobResult]:
    """The results with only those overrides of each cell that not all of them share."""
    cells = [set(result.cell) for result in results.values()]
    shared = set.intersection(*cells) if len(cells) > 1 else set()
    return {
        number: replace(result, cell=tuple(part for part in result.cell if part not in shared))
        for number, result in results.items()
    }


@cache
def parent_process() -> ParentProcess:
    """This process, as the processes of its cells will know it."""
    host, process = socket.gethostname(), os.getpid()
    folder = ROOT.resolve() / ".hydra" / f"{host}-{process}-{time.time_ns()}"
    return ParentProcess(host, process, folder, os.environ.get("CUDA_VISIBLE_DEVICES"))
