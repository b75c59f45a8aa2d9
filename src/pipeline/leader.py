"""The process that starts the others that train with it, tells them what to do, and ends with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
import torch.distributed as dist

from .. import PACKAGE
from ..config import Config
from ..config.schedule import lag_of
from ..rundir import RunDirectory
from ..system.placement import Placement
from ..system.tether import RESUME, LeaderTether
from ..training.device import count_processes
from ..training.meeting import connect, disconnect, open_store, reach_store
from ..training.ranks import ALONE, Ranks

END_SECONDS = 20
"""How long processes that were started here may take to end."""

NOTICE_SECONDS = 3
"""How long after a failure one hears that it was another process that failed."""


class Leader:
    """What the others are told, once."""

    def __init__(self, config: Config, placement: Placement) -> None:
        """Meet the others, if something else than this process started them.

        Raises:
            RequestError: if they would be more than there are devices, or cannot divide a step among them.
        """
        self.config, self.placement = config, placement
        self.processes = count_processes(config, placement)
        """How many train together, this one counted."""
        self.ranks: Ranks | None = connect(reach_store(placement), placement, config) if placement.launcher else None

    def dismiss(self) -> None:
        """Let others who wait go home: there is nothing to train."""
        if self.ranks is not None:
            with suppress(RuntimeError):  # they have gone already
                self.ranks.from_leader(lambda: None)
            self.ranks.part()
            self.ranks = None
            disconnect()

    @contextmanager
    def train_together(self, config: Config, run: RunDirectory) -> Iterator[Ranks]:
        """Inside, all of the processes train; `config` has the lag that was chosen.

        Raises:
            RuntimeError: if one of the others ends too early, saying which, and why if it could say so.
        """
        if self.processes == 1:
            yield ALONE
            return
        threads, started = torch.get_num_threads(), list[subprocess.Popen[bytes]]()
        tether = LeaderTether(self.processes - 1, everywhere=bool(self.placement.launcher))
        try:
            ranks, self.ranks = self.ranks or self._start(run, started), None
            ranks.from_leader(lambda: {"lag": lag_of(config.schedule), "port": tether.port, "token": tether.token})
            tether.accept()
            yield ranks
            ranks.part()
        except Exception as error:
            if not is_of_connection(error):
                raise
            reason = tether.why_lost(NOTICE_SECONDS) or "another process is gone"
            raise RuntimeError(f"{reason}; {RESUME}") from error
        finally:
            tether.close()
            _end(started)
            disconnect()
            torch.set_num_threads(threads)

    def _start(self, run: RunDirectory, started: list[subprocess.Popen[bytes]]) -> Ranks:
        store = open_store(self.processes)
        path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
        module = f"{PACKAGE}.pipeline.follower"
        with _blocked(signal.SIGUSR2):
            for rank in range(1, self.processes):
                words = [module, str(run.path), *map(str, (rank, self.processes, store.port))]
                started.append(
                    subprocess.Popen(
                        [sys.executable, "-m", *words], env=os.environ | {"PYTHONPATH": path},
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        start_new_session=True,  # Ctrl-C is for the leader, who tells the others
                    )
                )  # fmt: skip

        def watch() -> None:
            for rank, process in enumerate(started, start=1):
                if process.poll() is not None:
                    raise RuntimeError(f"process {rank} of {self.processes} ended with status {process.returncode}")

        return connect(store, Placement(0, self.processes), self.config, watch)


@contextmanager
def lead(config: Config, placement: Placement) -> Iterator[Leader]:
    """The leader of processes that torchrun or srun started; however the block ends, none of them waits for ever."""
    leader = Leader(config, placement)
    try:
        yield leader
    finally:
        leader.dismiss()


def is_of_connection(error: Exception) -> bool:
    """Whether an operation of several processes failed, as it does when one of them is gone."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))


@contextmanager
def _blocked(signum: signal.Signals) -> Iterator[None]:
    """What is started inside never receives this signal.

    SLURM tells all processes of a job of its time limit, and those that do not know the signal die of it. The leader
    does, and tells the others.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signum})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signum})


def _end(started: list[subprocess.Popen[bytes]]) -> None:
    for process in started:
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
