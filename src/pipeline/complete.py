"""Which checkpoints can be measured from the clouds that are there: of a run that was stopped, or that ended early."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..config.schedule import Schedule
from ..rundir import RunDirectory


def complete_part(planned: Schedule, source: RunDirectory) -> Schedule:
    """The checkpoints of a run that all clouds of their pairs and windows are there of."""
    complete = tuple(step for step in planned.checkpoints if not missing_clouds(planned, source, step))
    return replace(planned, checkpoints=complete, windows=tuple(step for step in planned.windows if step in complete))


def missing_clouds(planned: Schedule, source: RunDirectory, step: int) -> list[Path]:
    """Clouds of a checkpoint, its pairs and its window that are not there."""
    pairs = [*planned.pairs(step), *planned.window(step)]
    steps = dict.fromkeys([step, *(later for pair in pairs for later in pair)])
    return [path for path in map(source.clouds, steps) if not path.is_file()]
