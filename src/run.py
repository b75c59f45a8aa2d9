"""`python -m src.run`: one cell, from a configuration to a run directory and an MLflow run."""

from __future__ import annotations

import gc
import logging

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from . import PACKAGE
from .cli import launch
from .config import Config
from .config.resolve import resolve_config
from .config.schedule import plan_schedule
from .pipeline.note import describe_start, show_summary
from .pipeline.removable import discard_left_over
from .rundir import RunDirectory
from .rundir.kept import discard_clouds, steps_kept
from .rundir.state import check_earlier_start
from .sweeps.estimate import check_disk, check_weight_copies, explain_full_disk, size_on_disk
from .sweeps.outcome import add_to_sweep, record_failure, show_outcome
from .sweeps.plan import directory_of
from .system.files import DiskFullError, is_disk_full

logger = logging.getLogger(f"{PACKAGE}.run")  # by its own name this module is `__main__`


def run(composed: DictConfig) -> None:
    """Compose, validate, skip what is done, else run the cell."""
    config, hydra = resolve_config(composed), HydraConfig.get()
    directory = directory_of(config, hydra.runtime.choices)
    if check_earlier_start(directory, config):
        print(f"{directory.path}: done already, skipped (force=true starts over)", flush=True)
        discard_left_over(directory, config)
        add_to_sweep(directory, config)
        if hydra.mode == RunMode.MULTIRUN:
            return
    else:
        try:
            check_weight_copies(config)
            check_disk([config], size_on_disk(directory.path))
            run_cell(config, directory)
        except Exception as error:
            if is_disk_full(error):
                error = DiskFullError(explain_full_disk(config, directory))
            record_failure(directory, error)
            raise error
        finally:
            gc.collect()  # the cells of a sweep share the process, and a trainer and its model hold each other
    show_summary(directory.read_status()["summary"])


def run_cell(config: Config, run: RunDirectory) -> None:
    """Fine-tune, capture, measure and track one configuration.

    Raises:
        RequestError: before anything is written, if model, data or store cannot be had.
        RuntimeError: at the end, if a checkpoint could not be measured.
    """
    # Late: composing and checking a request must not wait for torch and MLflow.
    from .measure.prepared_cloud import check_transformer
    from .pipeline.costs import describe_costs
    from .pipeline.lag import resolve_lag
    from .pipeline.start import open_session, run_tags, start_run
    from .tracking.mend import mend_log
    from .tracking.store import open_store
    from .training.adapter import describe_training
    from .training.fit import fit, read_last_step, read_spool_bytes
    from .training.inputs import RunHooks, load_inputs

    if config.tda.transformer is not None:
        check_transformer(config.tda, config.probe.size)
    inputs = load_inputs(config)
    store = open_store(config.tracking)
    tags = run_tags(config, "cell", inputs.data.probes.hash)
    with start_run(store, config, run) as started:
        config = resolve_lag(config, inputs, run, started.signals)
        schedule = plan_schedule(config.schedule, config.trainer.max_steps)
        saved = read_last_step(run)
        mended = mend_log(run, read_spool_bytes(run))
        if mended.numbers_lost:
            run.last.unlink(missing_ok=True)
            saved = None
        replaces = started.replaces or mended.replaces
        trained = describe_training(inputs.network, config.adapter)
        with open_session(store, config, run, schedule, started, tags, replaces, trained=trained) as session:
            session.resume_from(saved)
            print(f"{run.path}: {describe_start(config, len(schedule.checkpoints), saved)}")
            logger.info("%s", trained)
            hooks = RunHooks(session.submit, session.tracker.log, started.signals, session.stops)
            costs = fit(config, inputs, schedule, run, hooks)
            session.end_stopped()
            started.summary |= session.finish() | {"lag": schedule.lag}
            logger.info("%s", describe_costs(costs | session.waited))
    discard_clouds(run, config.clouds.keep, steps_kept(session.schedule))


if __name__ == "__main__":
    launch(run, "config", Config, show_outcome)
