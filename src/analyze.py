"""`python -m src.analyze`: topology again from the clouds of a stored run. No model, no training, no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from omegaconf import DictConfig

from .cli import launch
from .config import Config, RequestError, ScheduleConfig, TdaConfig
from .config.commands import AnalyzeConfig
from .config.memory import count_workers
from .config.resolve import check_size, complete_draws, resolve_analysis
from .config.schedule import Schedule, lag_of, plan_schedule
from .pipeline.note import show_summary
from .rundir import RunDirectory
from .rundir.find import find_run
from .rundir.naming import directory_of_analysis
from .rundir.state import check_earlier_start, load_measured_config
from .system.words import plural


def analyze(composed: DictConfig) -> None:
    """Compose, validate, skip what is done, else measure the stored clouds."""
    request = resolve_analysis(composed)
    source = find_run(request.run)
    config = load_measured_config(source)
    check_size(request.tda, config.probe.size)
    check_random_updates(request.tda, source, config.tda.weight_draws)
    config.tda, config.tracking = request.tda, request.tracking
    complete_draws(config.tda, config.model)
    config.schedule = change_lag(config.schedule, request.schedule.lag)
    config.force, config.debug = request.force, request.debug
    directory = directory_of_analysis(source, config)
    if check_earlier_start(directory, config):
        print(f"{directory.path}: done already, skipped (force=true starts over)")
    else:
        analyze_run(config, source, directory)
    show_summary(directory.read_status()["summary"])


def check_random_updates(tda: TdaConfig, source: RunDirectory, stored: int) -> None:
    """Refuse random updates of the weights that the run has no clouds of; `stored`: how many it made of them each time.

    Raises:
        RequestError: with what is stored.
    """
    if not tda.weight_draws:
        return
    key, steps = f"tda.weight_draws={tda.weight_draws}", [step for step in source.steps() if source.weight_clouds(step)]
    if not steps:
        raise RequestError(
            f"{key}: {source.path} holds no clouds of random updates, which are captured while a model is trained; "
            f"train again with python -m src.run ... {key}, or leave it out"
        )
    if tda.weight_draws > stored:
        raise RequestError(
            f"{key}: {source.path} holds clouds of {stored} random updates a checkpoint; give that or less"
        )
    unknown = sorted(set(tda.weight_steps or ()) - set(steps))
    if unknown:
        raise RequestError(
            f"tda.weight_steps={tda.weight_steps}: no random updates are stored at {', '.join(map(str, unknown))}; "
            f"choose among {', '.join(map(str, steps))}"
        )


def change_lag(schedule: ScheduleConfig, lag: int | None) -> ScheduleConfig:
    """The schedule with the pairs that clouds at another lag make: steps 0, 1, 2 hold one pair at lag 2.

    Raises:
        RequestError: if no clouds lie so far apart.
    """
    own = lag_of(schedule)
    reach = own * schedule.repeats
    if lag is None:
        return schedule
    if lag % own or lag > reach:
        possible = ", ".join(map(str, range(own, reach + 1, own)))
        raise RequestError(
            f"schedule.lag={lag}: this run's clouds lie {possible} {plural(reach, 'step')} after a checkpoint; give one"
        )
    return replace(schedule, lag=lag, repeats=reach // lag)


def analyze_run(config: Config, source: RunDirectory, run: RunDirectory) -> None:
    """Measure every checkpoint whose clouds are complete.

    Raises:
        RequestError: before anything is written, if the store cannot be had.
        RuntimeError: at the end, if a checkpoint could not be measured.
    """
    # Late: composing and checking a request must not wait for MLflow.
    from .clouds.store import read_probe_hash
    from .measure.pool import WorkerPool
    from .measure.prepared_cloud import check_transformer
    from .pipeline.checkpoint_task import finish_checkpoint
    from .pipeline.session import Session
    from .pipeline.start import run_tags, start_run
    from .tracking.store import open_store
    from .tracking.tracker import track_run

    check_transformer(config.tda, config.probe.size)
    schedule = complete_part(config, source)
    store = open_store(config.tracking)
    # A source that never reached MLflow has no id there.
    source_run = source.mlflow_run_id.read_text().strip() if source.mlflow_run_id.exists() else str(source.path)
    tags = run_tags(config, "analysis", read_probe_hash(source.clouds(0)), source_run=source_run)
    with (
        start_run(store, config, run) as started,
        track_run(store, config, run, tags, started.replaces, started.lock) as tracker,
        WorkerPool(count_workers(config.tda), finish_checkpoint) as pool,
    ):
        session = Session(config, run, schedule, tracker, pool, source)
        print(f"{run.path}: {len(schedule.checkpoints)} checkpoints of {source.path}")
        for step in sorted(schedule.captured):
            session.submit(step)
        started.summary |= session.finish()


def complete_part(config: Config, source: RunDirectory) -> Schedule:
    """The checkpoints of a stored run that all clouds of their pairs are there of, at the lag of `config`."""
    stored = plan_schedule(load_measured_config(source).schedule, config.trainer.max_steps)
    planned = replace(stored, lag=lag_of(config.schedule), repeats=config.schedule.repeats)

    def is_there(pairs: Iterable[tuple[int, int]]) -> bool:
        return all(source.clouds(step).is_file() for pair in pairs for step in pair)

    checkpoints = tuple(step for step in planned.checkpoints if is_there(planned.pairs(step)))
    windows = tuple(step for step in planned.windows if step in checkpoints and is_there(planned.window(step)))
    return replace(planned, checkpoints=checkpoints, windows=windows)


if __name__ == "__main__":
    launch(analyze, "analyze", AnalyzeConfig)
