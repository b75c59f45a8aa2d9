"""Between the process that a command was started in and those that run its cells.

Hydra hands on one exception of a whole sweep and nothing of the other cells, so each cell leaves word in a file.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import FrameType

from ..rundir import ROOT
from ..system.files import replacing
from ..system.signals import Interrupted

GOES_ON = "the same command goes on with it"


@dataclass(frozen=True)
class Word:
    """How a cell ended."""

    cell: tuple[str, ...]
    """Its overrides."""
    status: int
    """As an exit status."""
    message: str = ""


@dataclass(frozen=True)
class Home:
    """The process that a command was started in, as the processes of its cells know it."""

    host: str
    process: int
    folder: Path
    visible: str | None
    """CUDA_VISIBLE_DEVICES there; submitit overwrites it."""

    @property
    def is_here(self) -> bool:
        return (self.host, self.process) == (socket.gethostname(), os.getpid())

    def leave_word(self, number: int, word: Word, *, anew: bool = True) -> None:
        """`number`: the cell's place in the sweep; an earlier start of it may have left word already."""
        path = self.folder / f"{number}.json"
        if anew or not path.exists():
            with replacing(path) as partial:
                partial.write_text(json.dumps(vars(word)))

    def hear(self) -> dict[int, Word]:
        """All that was left, by the place in the sweep, each cell by what tells it from the others; then it is gone."""
        found = sorted((int(path.stem), path) for path in self.folder.glob("*.json"))
        words = {number: Word(**json.loads(path.read_text())) for number, path in found}
        shutil.rmtree(self.folder, ignore_errors=True)
        common = set.intersection(*(set(w.cell) for w in words.values())) if len(words) > 1 else set()
        return {
            number: replace(word, cell=tuple(part for part in word.cell if part not in common))
            for number, word in words.items()
        }

    def join(self) -> None:
        """Where joblib runs the cell: be out of reach of the terminal, whose Ctrl-C home passes on.

        Raises:
            Interrupted: if home was told to end before this cell began.
        """
        mine = self.folder / f"{os.getpid()}.worker"
        if not mine.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            mine.touch()
            os.setsid()
            multiprocessing.set_start_method("spawn", force=True)  # joblib's own does not outlive its processes
        if self._ending.exists():
            raise Interrupted(int(self._ending.read_text()))

    def pass_on_signals(self) -> None:
        """SIGTERM and SIGINT end the cells that joblib runs, each of which saves itself; the second one, at once."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._pass_on)

    def _pass_on(self, signum: int, frame: FrameType | None) -> None:
        workers = list(self.folder.glob("*.worker"))
        if self._ending.exists() or not workers:
            raise Interrupted(signum)
        self._ending.write_text(str(signum))
        for path in workers:
            with suppress(ProcessLookupError):
                os.kill(int(path.stem), signal.SIGTERM)

    @property
    def _ending(self) -> Path:
        return self.folder / "ending"

    def told_to_end(self) -> int:
        """The signal that was passed on; 0 if there was none."""
        return int(self._ending.read_text()) if self._ending.exists() else 0


@cache
def home() -> Home:
    """This process as a home."""
    host, process = socket.gethostname(), os.getpid()
    folder = ROOT.resolve() / ".hydra" / f"{host}-{process}-{time.time_ns()}"
    return Home(host, process, folder, os.environ.get("CUDA_VISIBLE_DEVICES"))
