"""`trainer.stop=topology`: its rule for a run, and what is said of a run that it ended."""

from __future__ import annotations

from ..config import Config
from ..config.schedule import Schedule
from ..findings.levelling import StopRule, plan_rule


def stop_rule(config: Config, schedule: Schedule) -> StopRule | None:
    """The rule of this run; None if it is to take all steps."""
    trainer = config.trainer
    if trainer.stop == "none":
        return None
    return plan_rule(schedule.checkpoints, trainer.max_steps, trainer.stop_patience, trainer.stop_band)


def describe_stop(config: Config, step: int) -> str:
    """Where and why training ended before its last step."""
    trainer = config.trainer
    return (
        f"training ended after step {step} of {trainer.max_steps}, {trainer.max_steps - step} steps saved: over "
        f"{trainer.stop_patience} checkpoints velocity and own-scale excess changed by less than "
        f"{trainer.stop_band:g} x (trainer.stop={trainer.stop})"
    )
