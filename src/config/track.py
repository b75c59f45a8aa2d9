"""What `python -m src.track` and the callbacks read: a run's configuration, and the series of checkpoints it is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from omegaconf import MISSING

from .schedule import Schedule, plan_schedule
from .schema import AUTO, Config, ScheduleConfig
from .setting import RequestError, setting

UNTRAINED = "none"
"""The objective of a series that nobody says the objective of."""

CALLBACK = "callback"
"""The source of a series that was measured while somebody's own loop trained."""

ARRAYS = "arrays"
"""The source of a series whose clouds were given as arrays: there is no model that could be read."""


@dataclass
class SeriesConfig:
    checkpoints: Any = setting(None, identity=True)
    """Folders of checkpoints, or Lightning's .ckpt files: a list, or patterns such as out/checkpoint-*."""
    revisions: list[str] = setting(default_factory=list, identity=True)
    """Revisions of the hub model `model.path`."""
    steps: list[int] = setting(default_factory=list, identity=True)
    """Optimizer steps of the checkpoints, in their order; by default those that they state themselves."""
    base: str | None = setting(None, identity=True, is_path=True)
    """Folder or hub id of the model that is step 0 where the series has none. By default: of adapters the model that
    they stand on, otherwise the first checkpoint."""
    prefix: str = setting("model.", identity=True)
    """What stands before the names of the weights in a .ckpt of Lightning: the module's attribute, with a dot."""
    source: str = setting("checkpoints", identity=False)
    """Where the series comes from, filled in: checkpoints, adapters, lightning, revisions, callback, or arrays."""
    content: str = setting("", identity=False)
    """Hash of the checkpoints' weights, filled in: under the same paths another one is refused, or starts over with
    `force`."""
    arrays: str = setting("", identity="where changed")
    """Hash of all that was given, where that was arrays; filled in, it makes the run."""


@dataclass
class TrackConfig(Config):
    track: SeriesConfig = field(default_factory=SeriesConfig)


@dataclass
class AdviseConfig:
    """What `python -m src.track advise` reads."""

    steps: int = setting(MISSING, at_least=3, at_most=10_000_000)
    """Optimizer steps of the training to come."""
    checkpoints: int = setting(20, at_least=2, at_most=10_000)
    """Checkpoints that are to be measured; each is saved together with the steps that follow it."""
    lag: int = setting(1, at_least=1)
    """Optimizer steps between the two saved states of a pair."""
    repeats: int = setting(1, at_least=1, at_most=1000)
    """Pairs of a checkpoint."""
    debug: bool = False
    """Show tracebacks."""


def schedule_of(config: Config) -> Schedule:
    """The checkpoints of a configuration: as planned or, of a series that somebody saved, as far as it has them."""
    if not (isinstance(config, TrackConfig) and config.track.steps):
        return plan_schedule(config.schedule, config.trainer.max_steps)
    schedule = config.schedule
    assert isinstance(schedule.lag, int)  # `complete_schedule` filled it in
    there = frozenset(config.track.steps)
    return Schedule(tuple(sorted(schedule.steps)), schedule.lag, schedule.repeats, (), there)


def complete_schedule(schedule: ScheduleConfig, steps: Sequence[int]) -> ScheduleConfig:
    """The schedule of a series: which of its steps are checkpoints, and which belong to the pairs of those.

    Args:
        schedule: as asked for. `list` without steps leaves it to the series.
        steps: that there are, at least two, ascending.

    Raises:
        RequestError: if the series lacks steps of the schedule that was asked for.
    """
    lag = _commonest_gap(steps) if schedule.lag == AUTO else schedule.lag
    assert isinstance(lag, int)
    if schedule.kind == "list" and not schedule.steps:
        checkpoints, repeats = _read_checkpoints(steps, lag, schedule.repeats)
        return replace(schedule, lag=lag, repeats=repeats, steps=checkpoints)
    if lag * schedule.repeats > steps[-1]:
        raise RequestError(f"schedule.lag={lag}: its pairs do not fit into the {steps[-1]} steps of the series")
    planned = plan_schedule(replace(schedule, lag=lag, dense_windows=0), steps[-1])
    lacking = sorted(planned.captured - set(steps) - {0})
    if lacking:
        raise RequestError(
            f"schedule={schedule.kind}: the series has no checkpoint of {name_steps(lacking)}; leave schedule out to "
            f"take those that there are ({name_steps(steps)})"
        )
    return replace(schedule, kind="list", lag=lag, steps=list(planned.checkpoints))


def name_steps(steps: Sequence[int]) -> str:
    """Steps as they stand in a sentence, the first and the last few of many."""
    words = [str(step) for step in steps]
    return ("step " if len(words) == 1 else "steps ") + ", ".join(
        words if len(words) <= 9 else [*words[:6], "...", *words[-2:]]
    )


def _commonest_gap(steps: Iterable[int]) -> int:
    """The gap that most neighbours have between them, the shortest of equally frequent ones."""
    gaps = Counter(later - step for step, later in pairwise(steps))
    return min(gaps, key=lambda gap: (-gaps[gap], gap))


def _read_checkpoints(steps: Sequence[int], lag: int, repeats: int) -> tuple[list[int], int]:
    """Which steps are checkpoints, and how many pairs each has at most.

    Steps that follow each other at the lag belong together: a few are one checkpoint with its pairs, and of many each
    is a checkpoint. What has no step a lag later is a checkpoint without a pair.
    """
    runs = _consecutive_runs(steps, lag)
    lengths = sorted(len(run) for run in runs if len(run) > 1)
    median = lengths[len(lengths) // 2] if lengths else 1
    is_even = len(runs) == 1 or median > repeats + 1
    repeats = 1 if is_even else max(1, median - 1)
    found: list[int] = []
    for run in runs:
        found += run[:1] if len(run) <= repeats + 1 and not is_even else run if is_even else run[:-repeats]
    return sorted(found), repeats


def _consecutive_runs(steps: Sequence[int], lag: int) -> list[list[int]]:
    """The steps in stretches, each step of which is one lag after the one before it."""
    there, runs = set(steps), []
    for step in steps:
        if step - lag not in there:
            run = [step]
            while run[-1] + lag in there:
                run.append(run[-1] + lag)
            runs.append(run)
    return runs
