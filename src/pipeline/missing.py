"""What a series of somebody else's checkpoints cannot tell, and which cadence of saving would."""

from __future__ import annotations

from ..config import Config
from ..config.schedule import Schedule
from ..config.track import TrackConfig
from ..system.invocation import command_line
from ..system.words import count_of


def describe_missing_pairs(config: Config, schedule: Schedule) -> str:
    """In one sentence; nothing if every checkpoint but the last has a pair."""
    if not isinstance(config, TrackConfig):
        return ""
    alone = [step for step in schedule.checkpoints[:-1] if not schedule.pairs(step)]
    if not alone:
        return ""
    last, count = config.trainer.max_steps, len(schedule.checkpoints)
    having = count_of(count - 1 - len(alone), "checkpoint")
    reach = "cannot be measured" if len(alone) == count - 1 else f"and what is found of them rest on {having} only"
    return (
        f"velocity and excess {reach}: {len(alone)} of the first {count - 1} checkpoints have no second one "
        f"{count_of(schedule.lag, 'step')} later. Drift needs none. To have them, save pairs: "
        f"{command_line('track')} advise steps={last} checkpoints={count} prints the steps"
    )
