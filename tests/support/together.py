"""One of several processes that fit a model together, with nothing around it."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule
from src.rundir import RunDirectory
from src.system.placement import Placement
from src.system.signals import SignalHandler
from src.training.fit import fit
from src.training.inputs import RunHooks, load_inputs
from src.training.meeting import connect, disconnect, open_store, reach_store
from src.training.ranks import ALONE

from .builders import composed


def fit_together(folder: Path, rank: int, world: int, port: int, *words: str) -> None:
    """Leave clouds, adapters and, as `logged.json`, the numbers by step in `folder`."""
    config, placement = resolve_config(composed(*words)), Placement(rank, world, rank)
    ranks = ALONE
    if world > 1:
        store = open_store(world, port) if placement.leads else reach_store(placement, port)
        ranks = connect(store, placement, config)
    logged: dict[int, dict[str, float]] = {}
    hooks = RunHooks(
        lambda step: None, lambda values, step: logged.setdefault(step, {}).update(values), SignalHandler()
    )
    schedule = plan_schedule(config.schedule, config.trainer.max_steps)
    fit(config, load_inputs(config), schedule, RunDirectory(folder), hooks, ranks)
    if ranks.leads:
        (folder / "logged.json").write_text(json.dumps(logged))
    disconnect()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    fit_together(Path(sys.argv[1]), *map(int, sys.argv[2:5]), *sys.argv[5:])
