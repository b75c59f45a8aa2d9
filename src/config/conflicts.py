"""What is wrong with a request whose values are each within their limits: those that do not go together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from importlib.util import find_spec

from ..system.invocation import command_line
from .adapter import adapter_conflicts
from .commands import UiSettings
from .devices import SHARDED, device_conflicts
from .limits import outside_limits
from .memory import memory_shortage
from .paths import is_file, is_folder
from .schedule import lag_of, plan_schedule
from .schema import AUTO, MAX_CHECKPOINTS, RANDOM, SECOND_METRIC, SOURCES, Config, TdaConfig
from .targets import missing_library, target_problems
from .track import ARRAYS, CALLBACK, UNTRAINED, TrackConfig, name_steps
from .transformer import parts_of

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
"""What a model may be called on the hub: <owner>/<name>."""

MAX_DIMENSION = 10
"""Of homology: above, no diagram of any cloud fits into a memory."""

MAX_LISTED = 24
"""Checkpoints that a message names."""


def config_conflicts(config: Config) -> Iterator[str]:
    """Settings of a run that do not go together, of whatever groups."""
    objective, trainer = config.objective, config.trainer
    unknown = sorted(set(objective.weights) - set(SOURCES))
    if objective.name == UNTRAINED and not objective.weights:
        yield f"objective=none: nothing to train on; {command_line('track')} measures checkpoints without training"
    elif unknown:
        yield f"objective.weights={unknown}: unknown source, use {', '.join(SOURCES)}"
    elif math.inf in objective.weights.values():
        yield f"objective.weights={objective.weights}: must be finite numbers"
    elif not sum(objective.weights.values()) > 0 or min(objective.weights.values()) < 0:
        yield f"objective.weights={objective.weights}: at least one weight must be above 0, and none below"
    yield from _source_conflicts(config)
    micro = trainer.micro_batch_size
    if isinstance(micro, int) and micro > 0 and trainer.batch_size % micro:
        yield f"trainer.micro_batch_size={micro}: must divide trainer.batch_size={trainer.batch_size}"
    yield from device_conflicts(config)
    yield from adapter_conflicts(config.adapter)
    yield from schedule_conflicts(config)
    if config.tda.transformer is None and config.tda.second_metric == SECOND_METRIC:
        yield f"tda.second_metric={SECOND_METRIC}: tda={config.tda.name} measures nothing; choose a method, or drop it"
    yield from _weight_null_conflicts(config)
    yield from _stop_conflicts(config)
    yield from size_conflicts(config.tda, config.probe.size)


def _source_conflicts(config: Config) -> Iterator[str]:
    """What is wrong with where dialogues, probes and the model come from."""
    objective, probe = config.objective, config.probe
    if objective.dialogues == "jsonl" and not objective.data_dir:
        yield "objective.dialogues=jsonl: needs objective.data_dir=<folder with helpful.jsonl and harmless.jsonl>"
    if probe.file and not is_file(probe.file):
        yield f"probe.file={probe.file}: no such file; give text with one prompt per line, or JSONL"
    if objective.data_dir and objective.dialogues == "embedded":
        yield f"objective.dialogues={objective.dialogues}: reads no objective.data_dir; drop one of the two"
    if objective.data_dir and not is_folder(objective.data_dir):
        yield f"objective.data_dir={objective.data_dir}: no such folder of dialogues"
    if probe.size % 2 and not probe.file:
        yield f"probe.size={probe.size}: must be even, half helpful and half harmless"
    path = config.model.path
    if (config.model.stage == RANDOM) != (config.model.weights == RANDOM):
        yield f"model.stage={config.model.stage}: is what model.weights=random fills in; give that, or another stage"
    if path and not path.startswith("embedded:") and not is_folder(path) and not HUB_ID.fullmatch(path.rstrip("/")):
        hub = "" if path.startswith((".", "/", "~")) else ", and no id of the hub, which is <owner>/<name>"
        yield f"model.path={path}: no such folder{hub}; give one with config.json and *.safetensors"


def track_conflicts(config: TrackConfig) -> Iterator[str]:
    """Settings of a measured series that do not go together."""
    track = config.track
    if config.tda.transformer is None:
        yield f"tda={config.tda.name}: measures nothing; choose a method"
    if track.source not in (ARRAYS, CALLBACK) and bool(track.checkpoints) == bool(track.revisions):
        yield (
            f"track.checkpoints={track.checkpoints}, track.revisions={track.revisions}: give one of them, the folders "
            "of a series such as track.checkpoints=out/checkpoint-*, or revisions of a hub model"
        )
    if config.model.weights == RANDOM:
        yield "model.weights=random: measured here is what somebody trained; leave it out"
    if config.tda.weight_draws:
        yield f"tda.weight_draws={config.tda.weight_draws}: random updates are made while src.run trains; leave it out"
    if len(set(track.steps)) < len(track.steps):
        twice = sorted({step for step in track.steps if track.steps.count(step) > 1})
        yield f"track.steps={track.steps}: {name_steps(twice)} twice; give each checkpoint a step of its own"
    if track.source == CALLBACK:
        yield from _stop_conflicts(config)
    elif config.trainer.stop != "none":
        yield f"trainer.stop={config.trainer.stop}: a series that is there is not ended; leave it out"
    if track.steps and min(track.steps) < 0:
        yield f"track.steps={track.steps}: steps are 0 or more"
    if track.source != ARRAYS:  # whose rows are known once they were read
        yield from _source_conflicts(config)
        yield from size_conflicts(config.tda, config.probe.size)


def schedule_conflicts(config: Config) -> Iterator[str]:
    """What is wrong with the checkpoints and pairs of a training of so many steps."""
    schedule = config.schedule
    yield from _lag_conflicts(config)
    if _too_many_checkpoints(config):
        yield f"schedule.interval={schedule.interval}: more than {MAX_CHECKPOINTS:,} checkpoints; raise it"
    if schedule.kind == "list" and isinstance(schedule.lag, int):
        last = config.trainer.max_steps - schedule.lag * schedule.repeats
        if not schedule.steps:
            yield "schedule.steps=[]: schedule=list needs steps, for example schedule.steps=[0,1,2,4,8]"
        elif min(schedule.steps) < 0 or max(schedule.steps) > last:
            yield f"schedule.steps={schedule.steps}: must lie from 0 to {last}, later pairs do not fit"


def _too_many_checkpoints(config: Config) -> bool:
    schedule = config.schedule
    return schedule.kind == "every" and config.trainer.max_steps > MAX_CHECKPOINTS * max(1, schedule.interval)


def _lag_conflicts(config: Config) -> Iterator[str]:
    schedule, steps = config.schedule, config.trainer.max_steps
    if schedule.lag == AUTO:
        if schedule.kind == "list":
            yield "schedule.lag=auto: schedule=list names its steps, and their pairs may not fit; give a number"
        if config.trainer.strategy == SHARDED:
            yield (
                f"schedule.lag=auto: is tried on one device, which need not hold what trainer.strategy={SHARDED} "
                "divides; give a number"
            )
        if config.tda.transformer is None:
            yield "schedule.lag=auto: tda=none measures nothing that a lag could be chosen by; give a number"
    shortest = 1 if schedule.lag == AUTO else schedule.lag
    if isinstance(shortest, int) and shortest * schedule.repeats > steps:
        yield (
            f"schedule.lag={schedule.lag}: {schedule.repeats} repeats of it do not fit into "
            f"trainer.max_steps={steps}; lower it, or schedule.repeats"
        )


def _weight_null_conflicts(config: Config) -> Iterator[str]:
    """What is wrong with the random updates of the weights, in this run."""
    tda, schedule = config.tda, config.schedule
    if tda.weight_draws and tda.transformer is None:
        yield f"tda.weight_draws={tda.weight_draws}: tda={tda.name} measures nothing; choose a method, or leave it out"
    if tda.weight_draws and tda.weight_steps and schedule.lag == AUTO:
        yield f"tda.weight_steps={tda.weight_steps}: schedule.lag=auto moves the checkpoints; give a lag, or no steps"
        return
    fits = lag_of(schedule) * schedule.repeats <= config.trainer.max_steps and not any(
        list(outside_limits(group, "")) for group in (schedule, config.trainer)
    )
    if tda.weight_draws and tda.weight_steps and fits and not _too_many_checkpoints(config):
        checkpoints = plan_schedule(schedule, config.trainer.max_steps).checkpoints
        unknown = sorted(set(tda.weight_steps) - set(checkpoints))
        if unknown:
            more = f" and {len(checkpoints) - MAX_LISTED} more" if len(checkpoints) > MAX_LISTED else ""
            yield (
                f"tda.weight_steps={tda.weight_steps}: no checkpoint at {', '.join(map(str, unknown))}; there are "
                f"{', '.join(map(str, checkpoints[:MAX_LISTED]))}{more}"
            )


def _stop_conflicts(config: Config) -> Iterator[str]:
    """What the stopping rule lacks to ever be asked."""
    tda, trainer = config.tda, config.trainer
    if trainer.stop == "none":
        return
    if tda.transformer is None:
        yield f"trainer.stop={trainer.stop}: tda={tda.name} measures nothing to stop by; choose a method, or drop it"
    elif tda.null_draws == 0:
        yield f"trainer.stop={trainer.stop}: needs an excess; give tda.null_draws=20, or drop it"


def size_conflicts(tda: TdaConfig, rows: int) -> Iterator[str]:
    """What is wrong with the number of points, of so many probes."""
    if tda.points and tda.points > rows:
        yield f"tda.points={tda.points}: at most probe.size={rows}"
    if tda.components and tda.components > rows:
        yield f"tda.components={tda.components}: at most probe.size={rows}, so many directions have the probes"
    points = tda.count_points(rows)
    if tda.neighbors and tda.neighbors >= points > 0:
        yield f"tda.neighbors={tda.neighbors}: each of {points} points has {points - 1} others; lower it (4 are usual)"
    # Dimensions that are no numbers are reported by the checks of the method, negative sizes by their limits.
    dimensions = [type(k) is int and 0 <= k <= MAX_DIMENSION for k in tda.dimensions]
    if tda.transformer is not None and dimensions and all(dimensions) and min(rows, tda.points or rows) > 0:
        yield from memory_shortage(tda, rows)


def tda_conflicts(tda: TdaConfig) -> Iterator[str]:
    """Settings of a method that do not go together."""
    if tda.transformer is not None and "_target_" not in tda.transformer:
        yield "tda.transformer: needs a _target_, for example gtda.homology.VietorisRipsPersistence"
    yield from target_problems(tda.transformer, tda.allow)
    for asked in [part["homology_dimensions"] for part in parts_of(tda.transformer) if "homology_dimensions" in part]:
        is_list = isinstance(asked, (list, tuple)) and len(asked) > 0
        if not is_list or not all(type(k) is int and 0 <= k <= MAX_DIMENSION for k in asked):
            yield (
                f"tda.transformer.homology_dimensions={asked}: give a list of whole numbers from 0 to {MAX_DIMENSION}, "
                "such as [0,1]"
            )
        elif len(set(asked)) < len(asked):
            yield f"tda.transformer.homology_dimensions={list(asked)}: one is there twice; give each once"
    if tda.engine == "giotto" and find_spec("gph") is None:
        yield "tda.engine=giotto: giotto-ph is not installed here; use auto, which takes GUDHI for what ours cannot do"
    elif not tda.is_plain_rips:
        yield from missing_library(tda.transformer)
    if tda.engine == "reduced_rips" and tda.transformer and not (tda.is_plain_rips and max(tda.dimensions) < 2):
        yield f"tda.engine=reduced_rips: computes H0 and H1 of plain Rips over Z/2, not {tda.name}; use auto"
    draws = (("subsamples", tda.subsamples), ("null_draws", tda.null_draws), ("weight_draws", tda.weight_draws))
    for key, count in draws:
        if count == 1:
            yield f"tda.{key}=1: one value has no spread; give 0, or at least 2 (20 is usual)"
    if tda.weight_steps is not None and not tda.weight_draws:
        yield f"tda.weight_steps={tda.weight_steps}: of no use without tda.weight_draws=<draws>; give both or neither"
    if tda.weight_steps == []:
        yield "tda.weight_steps=[]: no checkpoint; give some, or leave it out"
    if tda.subsamples and tda.points and tda.points < 6:
        yield f"tda.points={tda.points}: a subsample is half of them and needs 3; give 6 or more, or tda.subsamples=0"
    if tda.components and tda.metric == "cosine":
        yield f"tda.components={tda.components}: takes no tda.metric=cosine, a projection changes angles"
    if tda.second_metric == tda.metric:
        yield f"tda.second_metric={tda.second_metric}: tda.metric is that already; drop one of the two"
    if tda.neighbors and tda.transformer is None:
        yield f"tda.neighbors={tda.neighbors}: tda={tda.name} measures nothing; choose a method, or leave it out"
    if tda.neighbors and tda.drop_sinks:
        yield (
            f"tda.neighbors={tda.neighbors}: follows the same points through all layers, and tda.drop_sinks=true "
            "leaves out others in each; drop one of the two"
        )
    if tda.metric == "cosine" and tda.transformer and not tda.takes_distances:
        yield f"tda.metric=cosine: {tda.name} takes points, not distances; use euclidean or standardized"


def proxy_conflicts(ui: UiSettings) -> Iterator[str]:
    """What is wrong with where a proxy shows the MLflow server."""
    if ui.address is not None and not re.fullmatch(r"https?://[\w.-]+(:\d+)?(/[\w.~%-]+)*/?", ui.address, re.ASCII):
        yield f"ui.address={ui.address}: must be an address as https://<host>/<path>, without login, query or fragment"
    if ui.prefix and not re.fullmatch(r"(/(?!\.+(/|$))[\w.~-]+)+", ui.prefix, re.ASCII):
        yield f"ui.prefix={ui.prefix}: must be a path as /user/me/mlflow, without a slash at its end"
