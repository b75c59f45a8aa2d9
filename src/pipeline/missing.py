"""What a series of somebody else's checkpoints cannot tell, and which cadence of saving would."""

from __future__ import annotations

from .. import PACKAGE
from ..config import Config
from ..config.schedule import Schedule
from ..config.track import TrackConfig
from ..system.words import count_of


def describe_missing_pairs(config: Config, schedule: Schedule) -> str:
    """In one sentence; nothing if every checkpoint but the last has a pair."""
    if not isinstance(config, TrackConfig):
        return ""
    alone = [step for step in schedule.checkpoints[:-1] if not schedule.pairs(step)]
    if not alone:
        return ""
    last, count = config.trainer.max_steps, len(schedule.checkpoints)
    return (
        f"velocity and excess, and every finding about them, are of {count_of(count - len(alone) - 1, 'checkpoint')} "
        f"only: {len(alone)} of the first {count - 1} checkpoints have no second one {count_of(schedule.lag, 'step')} "
        f"later. Drift needs none. To have them, save pairs: python -m {PACKAGE}.track advise steps={last} "
        f"checkpoints={count} prints the steps"
    )
