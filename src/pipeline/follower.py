"""A process that trains together with the leader's: it computes its share, and writes and says nothing.

`python -m src.pipeline.follower <run directory> <rank> <processes> <port>` is how the leader starts one itself. Where
torchrun or srun started all of them, `src.run` calls `follow`.
"""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from .. import PACKAGE
from ..config import Config, RequestError
from ..config.schedule import plan_schedule, with_lag
from ..rundir import RunDirectory
from ..rundir.state import load_config
from ..system.placement import Placement
from ..system.signals import Interrupted, handle_signals
from ..system.tether import FollowerTether
from ..training.device import count_processes
from ..training.fit import fit
from ..training.inputs import RunHooks, load_inputs
from ..training.meeting import connect, disconnect, leader_address, reach_store
from ..training.ranks import Ranks


def follow(config: Config, run: RunDirectory, placement: Placement, port: int | None = None) -> int:
    """Train together with the leader, if it comes to that; returns the exit status.

    Args:
        port: where the leader is met, if it started this process itself.
    """
    logging.getLogger(PACKAGE).setLevel(logging.ERROR)  # the leader has said the rest
    warnings.simplefilter("ignore")
    try:
        count_processes(config, placement)  # the leader says what is wrong with it
    except RequestError:
        return 2
    try:
        with handle_signals():
            ranks = connect(reach_store(placement, port), placement, config)
            plan: dict[str, Any] | None = ranks.from_leader(dict)
    except RuntimeError:  # the leader is gone
        return 1
    if plan is None:
        ranks.part()
        disconnect()  # or the threads of the connection abort the process when Python ends
        return 0
    tether = FollowerTether(leader_address(placement), plan["port"], plan["token"], placement.rank)
    try:
        _train(with_lag(config, plan["lag"]), run, ranks)
    except Interrupted as interrupted:
        tether.close()
        return 128 + interrupted.signum
    except BaseException as error:
        tether.close(f"{type(error).__name__}: {error}")
        return 1
    tether.close()
    disconnect()
    return 0


def _train(config: Config, run: RunDirectory, ranks: Ranks) -> None:
    inputs = load_inputs(config)
    schedule = plan_schedule(config.schedule, config.trainer.max_steps)
    with handle_signals() as signals:
        fit(config, inputs, schedule, run, RunHooks(lambda step: None, lambda values, step: None, signals), ranks)
        ranks.part()


def main(words: list[str]) -> int:
    directory, (rank, world, port) = RunDirectory(Path(words[0])), map(int, words[1:])
    return follow(load_config(directory), directory, Placement(rank, world, rank), port)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
