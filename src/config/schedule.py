"""Which optimizer steps are checkpoints, and which more are captured for their pairs and windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import takewhile

from .schema import AUTO, Config, ScheduleConfig

WINDOW = 8
"""Consecutive pairs of a window."""
MAX_WINDOW_SHARE = 1 / 3
"""Of a run's steps that its windows take at most."""


@dataclass(frozen=True)
class Schedule:
    checkpoints: tuple[int, ...]
    """Optimizer steps, ascending."""
    lag: int
    repeats: int
    windows: tuple[int, ...] = ()
    """Checkpoints that more pairs follow than the others, so that it is known how alike neighbouring steps are."""
    available: frozenset[int] | None = None
    """The only steps that there are, of a series that somebody saved; None: any step can be captured."""

    def pairs(self, step: int) -> list[tuple[int, int]]:
        """The consecutive pairs of a checkpoint; fewer, or none, where later steps are not available."""
        return self._consecutive_pairs(step, self.repeats)

    def window(self, step: int) -> list[tuple[int, int]]:
        """The consecutive pairs of the window that begins at a checkpoint; none if there is no window."""
        return self._consecutive_pairs(step, WINDOW) if step in self.windows else []

    def window_steps(self, step: int) -> set[int]:
        """The steps of a window that belong to none of its checkpoint's pairs."""
        pairs = {s for pair in self.pairs(step) for s in pair}
        return {s for pair in self.window(step) for s in pair} - pairs

    def _consecutive_pairs(self, step: int, count: int) -> list[tuple[int, int]]:
        starts = (step + n * self.lag for n in range(count))
        pairs = ((start, start + self.lag) for start in starts)
        return list(takewhile(lambda pair: self.available is None or pair[1] in self.available, pairs))

    def end(self, step: int) -> int:
        """Where the last pair of a checkpoint, or its window, ends."""
        return max((later for _, later in [*self.pairs(step), *self.window(step)]), default=step)

    @cached_property
    def captured(self) -> frozenset[int]:
        """Every step with a cloud: checkpoints and their pairs, once each, and step 0, which drift is measured from."""
        pairs = (pair for c in self.checkpoints for pair in [*self.pairs(c), *self.window(c)])
        return frozenset(step for pair in pairs for step in pair) | {0, *self.checkpoints}

    @cached_property
    def completions(self) -> frozenset[int]:
        """Every step that ends the last pair of a checkpoint: what is measured lies before it."""
        return frozenset(map(self.end, self.checkpoints))

    @cached_property
    def floor_pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs that the rounding floor is measured at: the first one of the first and of the last checkpoint."""
        return tuple(pair for step in sorted(self._ends) for pair in self.pairs(step)[:1])

    @cached_property
    def floor_steps(self) -> frozenset[int]:
        """Where some of the probes are read once more: the steps of those pairs, and both checkpoints."""
        return frozenset(step for pair in self.floor_pairs for step in pair) | self._ends

    @property
    def _ends(self) -> frozenset[int]:
        return frozenset(self.checkpoints[:1] + self.checkpoints[-1:])

    def completed_at(self, step: int) -> list[int]:
        """Checkpoints whose last pair ends at `step`."""
        return [c for c in self.checkpoints if self.end(c) == step]


def evaluated_steps(checkpoints: Sequence[int], every: int, max_steps: int) -> frozenset[int]:
    """Where behaviour is judged: at the early checkpoints, each `every`-th of the later ones, the last, and the end."""
    early = [step for step in checkpoints if step <= max_steps / 10]
    return frozenset([*early, *checkpoints[len(early) :][every - 1 :: every], *checkpoints[-1:], max_steps])


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
    checkpoints = tuple(s for s in steps if 0 <= s <= last)
    return Schedule(checkpoints, lag, config.repeats, _place_windows(checkpoints, config.dense_windows, lag, max_steps))


def _place_windows(checkpoints: Sequence[int], count: int, lag: int, max_steps: int) -> tuple[int, ...]:
    """The checkpoints nearest to the middles of `count` equal parts of the run, where a window fits in.

    Fewer where they would take more than a third of the steps, or meet.
    """
    length = WINDOW * lag
    count = min(count, int(max_steps * MAX_WINDOW_SHARE) // length)
    possible = [step for step in checkpoints if step + length <= max_steps]
    chosen: list[int] = []
    for n in range(count):
        wanted = (n + 0.5) / count * max_steps - length / 2
        nearest = min(possible, key=partial(_distance, wanted), default=None)
        if nearest is not None and (not chosen or nearest >= chosen[-1] + length):
            chosen.append(nearest)
    return tuple(chosen)


def _distance(wanted: float, step: int) -> float:
    return abs(step - wanted)


def _dense_early(config: ScheduleConfig, last: int, max_steps: int) -> list[float]:
    """0, 1, 2, ... log-spaced up to a tenth of the steps, then evenly spaced up to the last."""
    tenth = max(1.0, max_steps / 10)
    ratio = tenth ** (1 / max(1, config.early - 2))
    early = [0.0, *(ratio**n for n in range(config.early - 1))]
    return early + [tenth + (last - tenth) * n / config.late for n in range(1, config.late + 1)]
