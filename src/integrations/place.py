"""The run directory of a training that is watched: a new one, or that of the start which it goes on from."""

from __future__ import annotations

from datetime import datetime

from ..config import RequestError
from ..config.track import TrackConfig
from ..rundir import ROOT, RunDirectory
from ..rundir.state import check_earlier_start


def choose_run(config: TrackConfig, name: str | None, step: int) -> RunDirectory:
    """Where the results of a training go that is seen first after `step` optimizer steps; writes nothing.

    Args:
        name: of the directory; None: the time.

    Raises:
        RequestError: if that is no place for this training.
    """
    place = ROOT / config.model.name / config.objective.name / config.tda.name
    if step:
        _check_going_on(config, name, step)
    if name is None:
        stamp = f"{datetime.now():%Y%m%d-%H%M%S}"
        names = (stamp, *(f"{stamp}-{number}" for number in range(2, 1000)))
        return next(run for run in (RunDirectory(place / name) for name in names) if not run.path.exists())
    run = RunDirectory(place / name)
    if config.force:
        return run
    is_done = check_earlier_start(run, config)
    if is_done or (not step and run.config.exists()):
        states = {"done": "a finished run", "partial": "a run of a training that ended early"}
        state = states.get(run.read_status().get("state", ""), "a run that did not end")
        raise RequestError(
            f"run={name}: {run.path} holds {state}; give another name, or config={{'force': True}} to start over there"
        )
    return run


def _check_going_on(config: TrackConfig, name: str | None, step: int) -> None:
    """Raises RequestError if a training that goes on from `step` has no run that it could go on with."""
    place = ROOT / config.model.name / config.objective.name / config.tda.name
    if config.force:
        raise RequestError(
            f"force=True: starts over, and training goes on from step {step}; leave force out, or train from step 0"
        )
    if name is None or not RunDirectory(place / name).config.exists():
        what = "" if name is None else f"run={name}: {place / name} holds no run; "
        there = ", ".join(sorted(path.parent.name for path in place.glob("*/config.yaml"))) or "none"
        raise RequestError(
            f"{what}training goes on from step {step}; give the name of the run that its first start has, run=<name>: "
            f"{place} holds {there}"
        )
