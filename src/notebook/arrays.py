"""Topology of a series of hidden states that somebody has as arrays, wherever the rows come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hydra import compose

from ..arrays import read_integer, read_number
from ..config import ProbeConfig, RequestError
from ..config.guest import Settings, compose_with, composing
from ..config.identity import hash_values
from ..config.limits import NAME, NAME_RULE
from ..config.resolve import check_size, complete_config, resolve_track
from ..config.track import ARRAYS, UNTRAINED, TrackConfig, complete_schedule
from ..measure.prepared_cloud import check_transformer
from ..pipeline.removable import discard_left_over
from ..rundir import ROOT
from ..rundir.naming import directory_of_run
from ..rundir.state import check_earlier_start
from .given import GivenSeries, Series, read_series
from .measuring import Behavior, measure_as_run, measure_in_memory
from .progress import show_bar, show_none
from .result import TrackedRun

UNREAD = ("probe", "trainer", "adapter", "track")
"""Groups of a configuration that say how a model is read or trained: of arrays nothing reads them."""

LEAST_ROWS: int = ProbeConfig.__dataclass_fields__["size"].metadata["at_least"]


def track_arrays(
    series: Series, *, model: str = ARRAYS, objective: str = UNTRAINED, tda: str = "vietoris_rips",
    probes: Sequence[str] | None = None, behavior: Behavior | None = None,
    config: Settings = None, save: bool = True, progress: bool = True,
) -> TrackedRun:  # fmt: skip
    """How the shape of hidden states changes from step to step: the same measurement, findings and files as of a run.

        states = {step: {"block_06": x6, "block_12": x12}, ...}     # x6, x12: (N, D), the same N inputs at every step
        tracked = track_arrays(states, model="my_vit")

    Velocity and excess compare steps that lie one lag apart; by default that is the gap that most steps have between
    them (`config={"schedule.lag": 10}`). The first step stands for step 0, which drift is measured from.

    Args:
        series: layers by step, or pairs (step, layers) as they come; one step is in memory at a time. Layers are
            (N, D) by name or number in the order of their depth, the rows the same inputs at every step and in every
            layer. D may differ between layers. Arrays of any real type, nested lists, tensors on any device, frames.
            Names appear as they are but for their numbers, which get zeros in front ("block_3" is "block_03" beside
            "block_12"); the number 3 is "layer_03".
        model, objective: names, for tables, charts and the place of the directory.
        tda: a method of `conf/tda/`.
        probes: names of the N rows, such as texts or files. Runs whose rows have the same names use the same random
            halves and may be compared with each other; without names no other run may be compared with this one.
        behavior: numbers of the training by step, `{0: {"train_loss": 2.3, "learning_rate": 1e-4}}`; without a
            learning rate no peak can be explained by it.
        config: further settings as `conf/track.yaml` has them: `{"tda.null_draws": 6}`, or a Hydra node.
        save: write the run directory below `multirun/`, and send it to MLflow. The same arguments again go on with
            what was begun there, or show what is done. False: nothing is kept but what is returned.
        progress: show bars.

    Returns:
        Table, findings, figures and note; with `save` also where they are.

    Raises:
        ValueError: if a setting or the series is wrong: a step or layer that is there twice or lacks, shapes that
            differ, fewer than 6 rows, a value that is not finite or does not fit float32.
        RuntimeError: if a checkpoint could not be measured, or another process is at work in the directory.
    """
    request = _request(model, objective, tda, config)
    show = show_bar if progress else show_none
    numbers = read_behavior(behavior)
    root = ROOT if save else None
    with read_series(series, probes, LEAST_ROWS, root, show) as given:
        complete = _complete(request, given, numbers)
        if not save:
            return measure_in_memory(complete, given, numbers, show)
        run = directory_of_run(complete, _baseline(tda))
        if check_earlier_start(run, complete):
            discard_left_over(run, complete)
        else:
            measure_as_run(complete, run, given, numbers, show)
    return TrackedRun.of_directory(run)


def _request(model: str, objective: str, tda: str, config: Settings) -> TrackConfig:
    """What is asked for, checked as far as it does not hang on the series."""
    facts = {"model.name": model, "objective.name": objective, "track.source": ARRAYS}
    with composing(TrackConfig, config):
        composed = compose_with("track", TrackConfig, [f"tda={tda}"], config, facts)
        unread = [str(key) for key in config or () if str(key).partition(".")[0] in UNREAD]
        if unread:
            raise RequestError(f"config: {', '.join(unread)}: nothing reads it of arrays; leave it out")
        return resolve_track(composed)


def _baseline(tda: str) -> TrackConfig:
    """What stands for the defaults in the name of a directory."""
    with composing(TrackConfig, None):
        baseline = complete_config(compose("track", [f"tda={tda}"]), TrackConfig)
    assert isinstance(baseline, TrackConfig)
    return baseline


def _complete(request: TrackConfig, given: GivenSeries, behavior: Behavior) -> TrackConfig:
    """The request with what the series says filled in.

    Raises:
        RequestError: if the series lacks what was asked for, or has too few rows for it.
    """
    check_size(request.tda, given.rows)
    check_transformer(request.tda, given.rows)
    identity = {"series": given.digest, "behavior": {str(step): values for step, values in sorted(behavior.items())}}
    return replace(
        request,
        schedule=complete_schedule(request.schedule, given.steps),
        probe=replace(request.probe, size=given.rows),
        trainer=replace(request.trainer, max_steps=given.steps[-1]),
        track=replace(request.track, steps=list(given.steps), arrays=hash_values(identity)),
    )


def read_behavior(given: Behavior | None) -> dict[int, dict[str, float]]:
    """Numbers by step and name.

    Raises:
        ValueError: if a step or a number is none, or a name is no name.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(values, Mapping) for values in given.values()):
        raise ValueError('behavior: give numbers by step and name, {0: {"train_loss": 2.3, "learning_rate": 1e-4}}')
    found: dict[int, dict[str, float]] = {}
    for key, values in given.items():
        step = read_integer(key, "step of behavior")
        for name, value in values.items():
            if not (isinstance(name, str) and NAME.fullmatch(name)):
                raise ValueError(f"behavior[{step}]: {name!r} must be {NAME_RULE}")
            found.setdefault(step, {})[name] = read_number(value, f"behavior[{step}][{name!r}]")
    return found
