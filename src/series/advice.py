"""Which steps a training to come has to save, so that everything can be measured afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from ..config import RequestError, ScheduleConfig
from ..config.schedule import plan_schedule
from ..config.track import AdviseConfig
from ..system.invocation import command_line


def advise(asked: AdviseConfig) -> Iterator[str]:
    """The lines that are printed.

    Raises:
        RequestError: if so many checkpoints and their pairs do not fit.
    """
    steps = steps_to_save(asked)
    yield (
        f"# {asked.checkpoints} checkpoints, each with {asked.repeats} pair(s) at lag {asked.lag}, in {asked.steps} "
        f"optimizer steps: save {len(steps)} states"
    )
    yield f"STEPS = {{{', '.join(map(str, steps))}}}"
    yield "# transformers and TRL: in a TrainerCallback,"
    yield "#     def on_step_end(self, args, state, control, **kwargs):"
    yield "#         control.should_save = state.global_step in STEPS"
    yield "# step 0 is the model before training: track.base=<its folder or hub id>, unless the series is of adapters"
    yield f"# then: {command_line('track')} 'track.checkpoints=<output folder>/checkpoint-*' track.base=<model>"


def steps_to_save(asked: AdviseConfig) -> list[int]:
    """Optimizer steps, ascending, 0 included.

    Raises:
        RequestError: if so many checkpoints and their pairs do not fit.
    """
    if asked.lag * asked.repeats > asked.steps:
        raise RequestError(
            f"lag={asked.lag}: {asked.repeats} repeats of it do not fit into steps={asked.steps}; lower it"
        )
    early = max(2, round(asked.checkpoints * 0.35))
    schedule = ScheduleConfig(
        kind="dense_early", lag=asked.lag, repeats=asked.repeats, dense_windows=0, early=early,
        late=max(1, asked.checkpoints - early),
    )  # fmt: skip
    planned = plan_schedule(schedule, asked.steps)
    if len(planned.checkpoints) < asked.checkpoints:
        spare = [s for s in range(asked.steps - asked.lag * asked.repeats + 1) if s not in planned.checkpoints]
        missing = asked.checkpoints - len(planned.checkpoints)
        if missing > len(spare):
            raise RequestError(
                f"checkpoints={asked.checkpoints}: only {len(spare) + len(planned.checkpoints)} fit into "
                f"steps={asked.steps}; lower it"
            )
        # Early steps that fell together on a whole number: the earliest that are free take their place.
        checkpoints = sorted([*planned.checkpoints, *spare[:missing]])
        planned = plan_schedule(
            ScheduleConfig(kind="list", steps=checkpoints, lag=asked.lag, repeats=asked.repeats, dense_windows=0),
            asked.steps,
        )
    return sorted(planned.captured)
