"""Which optimizer steps are checkpoints, and which more are captured for their pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from .schema import AUTO, Config, ScheduleConfig


@dataclass(frozen=True)
class Schedule:
    checkpoints: tuple[int, ...]
    """Optimizer steps, ascending."""
    lag: int
    repeats: int

    def pairs(self, step: int) -> list[tuple[int, int]]:
        """The consecutive pairs of a checkpoint."""
        starts = [step + n * self.lag for n in range(self.repeats)]
        return [(start, start + self.lag) for start in starts]

    @cached_property
    def captured(self) -> frozenset[int]:
        """Every step with a cloud: checkpoints and their pairs, once each, and step 0, which drift is measured from."""
        return frozenset(s for c in self.checkpoints for pair in self.pairs(c) for s in pair) | {0}

    @cached_property
    def completions(self) -> frozenset[int]:
        """Every step that ends the last pair of a checkpoint: what is measured lies before it."""
        return frozenset(self.pairs(c)[-1][1] for c in self.checkpoints)

    @cached_property
    def floor_pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs that the rounding floor is measured at: the first one of the first and of the last checkpoint."""
        ends = {self.checkpoints[0], self.checkpoints[-1]} if self.checkpoints else set()
        return tuple(self.pairs(step)[0] for step in sorted(ends))

    def completed_at(self, step: int) -> list[int]:
        """Checkpoints whose last pair ends at `step`."""
        return [c for c in self.checkpoints if self.pairs(c)[-1][1] == step]


LAGS = (1, 2, 4, 8, 16)
"""What `schedule.lag=auto` chooses from."""


def possible_lags(config: ScheduleConfig, max_steps: int) -> list[int]:
    """Those of `LAGS` whose pairs fit into a run, ascending."""
    return [lag for lag in LAGS if lag * config.repeats <= max_steps]


def with_lag(config: Config, lag: int) -> Config:
    """The configuration of a run with the lag that was chosen for it, where it asked for one to be chosen."""
    schedule = replace(config.schedule, lag=lag) if config.schedule.lag == AUTO else config.schedule
    return replace(config, schedule=schedule)


def lag_of(config: ScheduleConfig) -> int:
    """The lag as a number; until one is chosen, the shortest there is."""
    return config.lag if isinstance(config.lag, int) else LAGS[0]


def plan_schedule(config: ScheduleConfig, max_steps: int) -> Schedule:
    """The checkpoints of a run; the last one leaves room for its pairs."""
    lag = lag_of(config)
    last = max_steps - lag * config.repeats
    planners: dict[str, Callable[[ScheduleConfig, int, int], Iterable[float]]] = {
        "dense_early": _dense_early,
        "linear": lambda c, last, _: (last * n / (c.count - 1) for n in range(c.count)),
        "every": lambda c, last, _: range(0, last + 1, c.interval),
        "list": lambda c, _, __: c.steps,
    }
    steps = sorted({round(step) for step in planners[config.kind](config, last, max_steps)})
    return Schedule(tuple(s for s in steps if 0 <= s <= last), lag, config.repeats)


def _dense_early(config: ScheduleConfig, last: int, max_steps: int) -> list[float]:
    """0, 1, 2, ... log-spaced up to a tenth of the steps, then evenly spaced up to the last."""
    tenth = max(1.0, max_steps / 10)
    ratio = tenth ** (1 / max(1, config.early - 2))
    early = [0.0, *(ratio**n for n in range(config.early - 1))]
    return early + [tenth + (last - tenth) * n / config.late for n in range(1, config.late + 1)]
