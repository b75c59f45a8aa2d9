"""`python -m src.run`: one cell, from a configuration to a run directory and an MLflow run."""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from . import PACKAGE
from .cli import launch
from .config import Config
from .config.resolve import resolve_config
from .config.schedule import plan_schedule
from .config.schema import RANDOM
from .forecast.disk import check_disk, check_weight_copies, explain_full_disk, size_on_disk
from .pipeline.note import describe_start, show_summary
from .pipeline.removable import discard_left_over
from .rundir import RunDirectory
from .rundir.kept import discard_clouds, steps_kept
from .rundir.state import check_earlier_start
from .sweeps.launchers import place_process
from .sweeps.outcome import add_to_sweep, record_failure, show_outcome
from .sweeps.plan import directory_of
from .system.files import DiskFullError, is_disk_full
from .system.placement import Placement

if TYPE_CHECKING:
    from .pipeline.leader import Leader

logger = logging.getLogger(f"{PACKAGE}.run")  # by its own name this module is `__main__`


def run(composed: DictConfig) -> None:
    """Compose, validate, skip what is done, else run the cell."""
    config, hydra = resolve_config(composed), HydraConfig.get()
    directory = directory_of(config, hydra.runtime.choices)
    in_sweep = hydra.mode == RunMode.MULTIRUN
    placement = place_process(config.trainer, os.environ, in_sweep=in_sweep)
    if not placement.launcher:
        run_or_skip(config, directory, in_sweep=in_sweep)
        return
    from .pipeline.follower import follow
    from .pipeline.leader import lead

    if not placement.leads:
        sys.exit(follow(config, directory, placement))
    with lead(config, placement) as leader:
        run_or_skip(config, directory, in_sweep=in_sweep, leader=leader)


def run_or_skip(config: Config, directory: RunDirectory, *, in_sweep: bool, leader: Leader | None = None) -> None:
    """Skip what is done, else run the cell; `leader` has met others that train with this process."""
    if check_earlier_start(directory, config):
        print(f"{directory.path}: done already, skipped (force=true starts over)", flush=True)
        discard_left_over(directory, config)
        add_to_sweep(directory, config)
        if in_sweep:
            return
    else:
        try:
            check_weight_copies(config)
            check_disk([config], size_on_disk(directory.path))
            run_cell(config, directory, leader)
        except Exception as error:
            if is_disk_full(error):
                error = DiskFullError(explain_full_disk(config, directory))
            elif "memory" in f"{type(error).__name__} {error}".lower():
                error = _explain_memory(config, error)
            record_failure(directory, error)
            raise error
        finally:
            gc.collect()  # the cells of a sweep share the process, and a trainer and its model hold each other
    show_summary(directory.read_status()["summary"])


def _explain_memory(config: Config, error: Exception) -> Exception:
    """What would fit, if memory was short; else the error as it is."""
    from .pipeline.micro_batch import is_out_of_memory, remedies

    return MemoryError(f"out of memory; {remedies(config)} ({error})") if is_out_of_memory(error) else error


def run_cell(config: Config, run: RunDirectory, leader: Leader | None = None) -> None:
    """Fine-tune, capture, measure and track one configuration.

    Args:
        leader: has met others that train with this process; without it, this process starts them itself.

    Raises:
        RequestError: before anything is written, if model, data or store cannot be had.
        RuntimeError: at the end, if a checkpoint could not be measured.
    """
    # Late: composing and checking a request must not wait for torch and MLflow.
    from .measure.prepared_cloud import check_transformer
    from .pipeline.costs import describe_costs
    from .pipeline.lag import resolve_lag
    from .pipeline.leader import Leader
    from .pipeline.micro_batch import keep_micro_batch, resolve_micro_batch
    from .pipeline.start import open_session, run_tags, start_run
    from .tracking.mend import mend_log
    from .tracking.store import open_store
    from .training.adapter import describe_training
    from .training.architecture import describe_random
    from .training.fit import check_processes, fit, read_last_step, read_spool_bytes
    from .training.inputs import RunHooks, load_inputs

    if config.tda.transformer is not None:
        check_transformer(config.tda, config.probe.size)
    leader = leader or Leader(config, Placement())
    inputs = load_inputs(config)
    asked, config = config, resolve_micro_batch(config, inputs, run)
    store = open_store(config.tracking)
    tags = run_tags(asked, "cell", inputs.data.probes.hash)
    with start_run(store, asked, run) as started:
        if config is not asked:
            keep_micro_batch(config, run)
        config = resolve_lag(config, inputs, run, started.signals)
        schedule = plan_schedule(config.schedule, config.trainer.max_steps)
        saved = read_last_step(run)
        check_processes(run, leader.processes)
        mended = mend_log(run, read_spool_bytes(run))
        if mended.numbers_lost:
            run.last.unlink(missing_ok=True)
            saved = None
        replaces = started.replaces or mended.replaces
        drawn = [describe_random(config.model)] if config.model.weights == RANDOM else []
        trained = "; ".join([*drawn, describe_training(inputs.network, config.adapter)])
        with open_session(store, config, run, schedule, started, tags, replaces, trained=trained) as session:
            session.resume_from(saved)
            print(f"{run.path}: {describe_start(config, len(schedule.checkpoints), saved)}")
            logger.info("%s", trained)
            hooks = RunHooks(session.submit, session.tracker.log, started.signals, session.stops)
            with leader.train_together(config, run) as ranks:
                costs = fit(config, inputs, schedule, run, hooks, ranks)
            session.end_stopped()
            started.summary |= session.finish() | {"lag": schedule.lag}
            logger.info("%s", describe_costs(costs | session.waited))
    discard_clouds(run, config.clouds.keep, steps_kept(session.schedule))


if __name__ == "__main__":
    launch(run, "config", Config, show_outcome, together=True)
