"""`python -m src.analyze`: topology again from the clouds of a stored run. No model, no training, no torch."""

from __future__ import annotations

from dataclasses import replace

from omegaconf import DictConfig

from .cli import launch
from .config import Config, RequestError, ScheduleConfig, TdaConfig
from .config.commands import AnalyzeConfig
from .config.resolve import check_size, complete_draws, resolve_analysis
from .config.schedule import Schedule, lag_of
from .config.track import schedule_of
from .pipeline.complete import complete_part, missing_clouds
from .pipeline.note import show_summary
from .rundir import RunDirectory
from .rundir.find import find_run
from .rundir.naming import directory_of_analysis
from .rundir.state import check_earlier_start, load_measured_config
from .system.files import DamagedError
from .system.invocation import command_line
from .system.jsonl import check_jsonl
from .system.words import plural
from .tracking.journal import find_earlier_run, read_start, try_lock


def analyze(composed: DictConfig) -> None:
    """Compose, validate, skip what is done, else measure the stored clouds."""
    request = resolve_analysis(composed)
    source = find_run(request.run)
    try:
        config = load_measured_config(source)
    except DamagedError as error:
        raise RequestError(f"run={request.run}: {error}; the command that made the run writes it again") from error
    check_size(request.tda, config.probe.size)
    check_random_updates(request.tda, source, config.tda.weight_draws)
    config.tda, config.tracking = request.tda, request.tracking
    complete_draws(config.tda, config.model)
    config.schedule = change_lag(config.schedule, request.schedule.lag)
    config.force, config.debug = request.force, request.debug
    directory = directory_of_analysis(source, config)
    planned = planned_part(config, source)
    schedule = complete_part(planned, source)
    if check_earlier_start(directory, config) and is_as_long(directory, schedule):
        print(f"{directory.path}: done already, skipped (force=true starts over)")
    else:
        check_source(source, planned, schedule, config.tda.weight_draws)
        analyze_run(config, source, directory, planned, schedule)
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
            f"train again with {command_line('run')} ... {key}, or leave it out"
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


def planned_part(config: Config, source: RunDirectory) -> Schedule:
    """All checkpoints of a stored run, at the lag of `config`."""
    stored = schedule_of(load_measured_config(source))
    planned = replace(stored, lag=lag_of(config.schedule), repeats=config.schedule.repeats)
    # A version before captured no windows, and at another lag they would reach further than they were captured.
    windows = tuple(
        start for start in stored.windows
        if planned.lag == stored.lag and any(source.clouds(step).is_file() for step in stored.window_steps(start))
    )  # fmt: skip
    return replace(planned, windows=windows)


def is_as_long(analysis: RunDirectory, schedule: Schedule) -> bool:
    """Whether an earlier analysis measured as many checkpoints as there are by now."""
    return bool(analysis.read_status().get("summary", {}).get("checkpoints") == len(schedule.checkpoints))


def check_source(source: RunDirectory, planned: Schedule, schedule: Schedule, weight_draws: int) -> None:
    """Refuse a run that is still at work, and one of whose files something is damaged or gone, before anything starts.

    Args:
        planned: all of the run's checkpoints.
        schedule: those whose clouds are there.

    Raises:
        RequestError: naming the file.
    """
    from .clouds.store import check_clouds

    status = source.read_status()
    lock = try_lock(source)
    if lock is None:
        raise RequestError(f"run={source.path}: it is still at work; analyse it when it is done")
    lock.release()
    if not schedule.checkpoints:
        raise RequestError(f"run={source.path}: no checkpoint of it is complete yet; run it first")
    try:
        if status.get("state") == "done":
            for step in planned.checkpoints:
                for path in missing_clouds(planned, source, step):
                    raise DamagedError(path, "it is gone")
        check_jsonl(source.spool, status.get("spool_bytes", 0))
        for step in sorted(schedule.captured):
            check_clouds(source.clouds(step))
            draws = source.weight_clouds(step) if weight_draws else []
            for path in draws:
                check_clouds(path)
            if len(draws) < weight_draws and (draws or has_random_updates(source, step)):
                raise DamagedError(source.weight_cloud(step, len(draws)), "it, or one before it, is gone")
    except DamagedError as error:
        raise RequestError(
            f"run={source.path}: {error}; nothing but training gives it again: the command of that run with force=true"
        ) from error


def has_random_updates(source: RunDirectory, step: int) -> bool:
    """Whether random updates were measured at a checkpoint, of a run whose version noted no number of them."""
    from .metrics.files import read_rows

    measured = source.metrics(step)
    return measured.exists() and any(read_rows(measured)[0].quantity.str.startswith("weights_"))


def analyze_run(
    config: Config, source: RunDirectory, run: RunDirectory, planned: Schedule, schedule: Schedule
) -> None:  # fmt: skip
    """Measure every checkpoint whose clouds are complete; one that is not done yet gives an analysis that is partial.

    Args:
        planned: all of the run's checkpoints.
        schedule: those that are measured.

    Raises:
        RequestError: before anything is written, if the store cannot be had.
        RuntimeError: at the end, if a checkpoint could not be measured.
    """
    # Late: composing and checking a request must not wait for MLflow.
    from .clouds.store import read_probe_hash
    from .measure.prepared_cloud import check_transformer
    from .pipeline.start import open_session, run_tags, start_run
    from .tracking.mend import begin_anew, mend_log
    from .tracking.store import open_store

    check_transformer(config.tda, config.probe.size)
    store = open_store(config.tracking)
    is_partial = source.read_status().get("state") != "done"
    # A source that never reached MLflow has no id there.
    known = find_earlier_run(source)
    facts = {"source_run": known.run_id if known else str(source.path)} | ({"partial": "true"} if is_partial else {})
    tags = run_tags(config, "analysis", read_probe_hash(source.clouds(0)), **facts)
    with start_run(store, config, run) as started:
        started.state = "partial" if is_partial else "done"
        replaces = started.replaces or mend_log(run).replaces
        if is_begun_partial(run):  # what was found of some checkpoints is not what is found of all
            run.spool.unlink(missing_ok=True)
            replaces = begin_anew(run)
        last = max(planned.checkpoints)
        with open_session(store, config, run, schedule, started, tags, replaces, source, last) as session:
            print(f"{run.path}: {describe_part(len(schedule.checkpoints), len(planned.checkpoints), source)}")
            session.measure_stored()
            started.summary |= session.finish()


def is_begun_partial(run: RunDirectory) -> bool:
    """Whether an earlier start of an analysis measured a run that was not done."""
    start = read_start(run)
    return start is not None and "partial" in start["tags"]


def describe_part(measured: int, planned: int, source: RunDirectory) -> str:
    """One line: how many checkpoints of a run are measured, and what that is of it."""
    if source.read_status().get("state") == "done":
        return f"{measured} checkpoints of {source.path}"
    return (
        f"{measured} of the {planned} checkpoints of {source.path}, which is not done: a partial analysis; the same "
        "command measures the rest when it is"
    )


if __name__ == "__main__":
    launch(analyze, "analyze", AnalyzeConfig)
