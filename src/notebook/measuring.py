"""A series of arrays measured: as a run in its directory and in MLflow, or with nothing kept but what is returned."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from .. import PACKAGE
from ..config.memory import count_workers
from ..config.track import TrackConfig, schedule_of
from ..measure.checkpoint import Job
from ..measure.pool import WorkerPool
from ..measure.rounding import apply_floor
from ..metrics.files import build_table
from ..metrics.second import derive_for_each
from ..metrics.table import BEHAVIOR
from ..pipeline.checkpoint_task import finish_checkpoint
from ..pipeline.session import steps_completed
from ..pipeline.start import open_session, run_tags, start_run
from ..rundir import RunDirectory
from ..rundir.kept import discard_clouds, steps_kept
from ..system.jsonl import append_jsonl
from ..tracking.mend import mend_log
from ..tracking.store import open_store
from .given import GivenSeries
from .progress import ShowProgress
from .result import TrackedRun

Behavior = Mapping[int, Mapping[str, float]]
"""Numbers of the training by step and name: `train_loss`, `learning_rate`, `grad_norm`."""


def measure_as_run(
    config: TrackConfig, run: RunDirectory, series: GivenSeries, behavior: Behavior, show: ShowProgress
) -> None:
    """Write, measure, track, draw and sum up; goes on with what an earlier start left.

    Raises:
        RequestError: before anything is written, if the store cannot be had.
        RuntimeError: if a checkpoint could not be measured, or another process is at work in the directory.
    """
    schedule, store = schedule_of(config), open_store(config.tracking)
    tags = run_tags(config, "track", series.probe_hash, source=config.track.source)
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    with start_run(store, config, run, is_guest=True) as started:
        replaces = started.replaces or mend_log(run).replaces
        with (
            open_session(store, config, run, schedule, started, tags, replaces) as session,
            show(len(schedule.checkpoints), "checkpoints measured") as bar,
        ):
            session.on_measured = bar.update
            for step, values in behavior.items():
                session.tracker.log({BEHAVIOR + name: value for name, value in values.items()}, step)
            for step in sorted(schedule.captured):
                series.write(run.clouds(step), step)
                session.submit_again(step)
            started.summary |= session.finish() | {"lag": schedule.lag}
    discard_clouds(run, config.clouds.keep, steps_kept(schedule))


def measure_in_memory(
    config: TrackConfig, series: GivenSeries, behavior: Behavior, show: ShowProgress
) -> TrackedRun:  # fmt: skip
    """As `measure_as_run`, the same numbers; nothing stays on disk, and nothing is sent to MLflow.

    Raises:
        RuntimeError: if a checkpoint could not be measured.
    """
    schedule = schedule_of(config)
    with TemporaryDirectory(prefix="topotrace-") as folder:
        run = RunDirectory(Path(folder))
        run.spool.touch()
        for step, values in behavior.items():
            named = {BEHAVIOR + name: float(value) for name, value in values.items()}
            append_jsonl(run.spool, {"step": step, "timestamp": 0, "metrics": named})
        with (
            WorkerPool(count_workers(config.tda), finish_checkpoint) as pool,
            show(len(schedule.checkpoints), "checkpoints measured") as bar,
        ):
            for step in sorted(schedule.captured):
                series.write(run.clouds(step), step)
                for at in steps_completed(schedule, step, schedule.checkpoints[-1]):
                    pool.submit(Job(run, run, at, config.tda))
            for _ in pool.collect(wait=True):
                bar.update()
        if pool.failed:
            raise RuntimeError(f"checkpoints {pool.failed} could not be measured: {pool.reason}")
        table = derive_for_each(apply_floor, build_table(run, schedule.checkpoints, behavior=run.spool))
        return TrackedRun.of_table(config, schedule, table, run)
