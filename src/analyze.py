"""`python -m src.analyze`: topology again from the clouds of a stored run. No model, no training, no torch."""

from __future__ import annotations

from dataclasses import replace

from omegaconf import DictConfig

from .cli import launch
from .config import Config, RequestError, ScheduleConfig
from .config.commands import AnalyzeConfig
from .config.resolve import check_size, complete_draws, resolve_analysis
from .pipeline.note import show_summary
from .rundir import RunDirectory
from .rundir.find import find_run
from .rundir.naming import place_analysis
from .rundir.state import check_earlier_start, load_config


def analyze(composed: DictConfig) -> None:
    """Compose, validate, skip what is done, else measure the stored clouds."""
    request = resolve_analysis(composed)
    source = find_run(request.run)
    config = load_config(source)
    check_size(request.tda, config.probe.size)
    config.tda, config.tracking = request.tda, request.tracking
    complete_draws(config.tda, config.model)
    config.schedule = change_lag(config.schedule, request.schedule.lag)
    config.force, config.debug = request.force, request.debug
    directory = place_analysis(source, config)
    if check_earlier_start(directory, config):
        print(f"{directory.path}: done already, skipped (force=true starts over)")
    else:
        analyze_run(config, source, directory)
    show_summary(directory.read_status()["summary"])


def change_lag(schedule: ScheduleConfig, lag: int | None) -> ScheduleConfig:
    """The schedule with the pairs that clouds at another lag make: steps 0, 1, 2 hold one pair at lag 2.

    Raises:
        RequestError: if no clouds lie so far apart.
    """
    reach = schedule.lag * schedule.repeats
    if lag is None:
        return schedule
    if lag % schedule.lag or lag > reach:
        there = ", ".join(map(str, range(schedule.lag, reach + 1, schedule.lag)))
        raise RequestError(f"schedule.lag={lag}: this run's clouds lie {there} step(s) after a checkpoint; give one")
    return replace(schedule, lag=lag, repeats=reach // lag)


def analyze_run(config: Config, source: RunDirectory, run: RunDirectory) -> None:
    """Measure every checkpoint whose clouds are complete.

    Raises:
        RequestError: before anything is written, if the store cannot be had.
        RuntimeError: at the end, if a checkpoint could not be measured.
    """
    from .clouds.store import read_probe_hash
    from .config.schedule import Schedule, plan_schedule
    from .measure.view import check_transformer
    from .pipeline.session import open_session
    from .tracking.store import open_store

    check_transformer(config.tda, config.probe.size)
    captured = plan_schedule(load_config(source).schedule, config.trainer.max_steps)
    planned = Schedule(captured.checkpoints, config.schedule.lag, config.schedule.repeats)
    complete = tuple(
        step for step in planned.checkpoints
        if all(source.clouds(later).is_file() for pair in planned.pairs(step) for later in pair)
    )  # fmt: skip
    schedule = Schedule(complete, planned.lag, planned.repeats)
    store = open_store(config.tracking)
    tags = {"kind": "analysis", "probe_hash": read_probe_hash(source.clouds(0))}
    # A source that MLflow was not there for has no id yet.
    known = source.mlflow_run_id
    tags["source_run"] = known.read_text().strip() if known.exists() else str(source.path)
    with open_session(store, config, run, schedule, tags, source=source) as session:
        print(f"{run.path}: {len(complete)} checkpoints of {source.path}")
        for step in sorted(schedule.captured):
            session.submit(step)
        session.finish()


if __name__ == "__main__":
    launch(analyze, "analyze", AnalyzeConfig)
