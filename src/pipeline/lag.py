"""`schedule.lag=auto`: the shortest lag whose first pair lies well above the rounding floor."""

from __future__ import annotations

import logging
from statistics import median

import numpy as np

from ..clouds.capture import Cloud
from ..clouds.floor import movement_error
from ..config import Config
from ..config.schedule import possible_lags, with_lag
from ..config.schema import AUTO
from ..measure.checkpoint import seed_of
from ..measure.floor import times_floor
from ..rundir import RunDirectory
from ..rundir.state import read_lag
from ..system.files import write_json
from ..system.signals import SignalHandler
from ..training.inputs import RunInputs
from ..training.trial import run_trial

WANTED = 10
"""Times the rounding floor that the first pair of a lag lies at: in most of the blocks, in every homology dimension."""

logger = logging.getLogger(__name__)


def resolve_lag(config: Config, inputs: RunInputs, run: RunDirectory, signals: SignalHandler) -> Config:
    """The configuration with a lag: the one it names, the one an earlier start chose, or one that is chosen now."""
    if config.schedule.lag != AUTO:
        return config
    lag = read_lag(run) or _choose_lag(config, inputs, run, signals)
    return with_lag(config, lag)


def _choose_lag(config: Config, inputs: RunInputs, run: RunDirectory, signals: SignalHandler) -> int:
    """Try the lags in a trial run that is thrown away; what was found is kept in the run directory."""
    lags = possible_lags(config.schedule, config.trainer.max_steps)
    seen: dict[int, tuple[dict[str, Cloud], dict[str, Cloud]]] = {}
    found: dict[int, float] = {}

    def inspect(step: int, clouds: dict[str, Cloud], references: dict[str, Cloud]) -> bool:
        seen[step] = clouds, references
        if step:
            found[step] = _times_floor(seen[0], seen.pop(step), step, config, inputs.data.probes.hash)
        return found.get(step, 0) >= WANTED

    run_trial(config, inputs, [0, *lags], inspect, signals)
    tried = ", ".join(f"lag {lag}: {times:.2g} x" for lag, times in found.items())
    lag = max(found)
    if found[lag] >= WANTED:
        logger.info("schedule.lag=auto: lag %d; first pairs beside the rounding floor: %s", lag, tried)
    else:
        logger.warning(
            "schedule.lag=auto: no lag lies %d x above the rounding floor (%s); the longest, %d, is taken: read the "
            "probes more finely (probe.precision=auto), or raise trainer.learning_rate", WANTED, tried, lag,
        )  # fmt: skip
    write_json(run.lag, {"lag": lag, "times_floor": {str(lag): times for lag, times in found.items()}})
    return lag


def _times_floor(
    start: tuple[dict[str, Cloud], dict[str, Cloud]], end: tuple[dict[str, Cloud], dict[str, Cloud]], lag: int,
    config: Config, probe_hash: str,
) -> float:  # fmt: skip
    """The median over the layers of how many times the floor the pair from step 0 moved."""
    seed = seed_of(probe_hash)
    values = []
    for layer in start[0]:
        clouds: dict[int, np.ndarray] = {0: start[0][layer], lag: end[0][layer]}
        error = movement_error((clouds[0], clouds[lag]), (start[1][layer], end[1][layer]))
        values.append(times_floor(clouds, lag, error, layer, config.tda, seed))
    return median(values)
