"""`python -m src.run`: one cell, from a configuration to a run directory and an MLflow run."""

from __future__ import annotations

import gc

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from .cli import launch
from .config import Config, ModelConfig
from .config.resolve import resolve_config
from .pipeline.note import show_summary
from .rundir import RunDirectory
from .rundir.state import check_earlier_start
from .sweeps.estimate import check_disk
from .sweeps.outcome import failures, join, show_outcome
from .sweeps.plan import place


def run(composed: DictConfig) -> None:
    """Compose, validate, skip what is done, else run the cell."""
    config, hydra = resolve_config(composed), HydraConfig.get()
    directory = place(config, hydra.runtime.choices)
    if check_earlier_start(directory, config):
        print(f"{directory.path}: done already, skipped (force=true starts over)", flush=True)
        join(directory, config)
        if hydra.mode == RunMode.MULTIRUN:
            return
    else:
        try:
            check_disk([config])
            run_cell(config, directory)
        except Exception as error:
            failures[directory.path] = f"{type(error).__name__}: {error}"
            raise
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
    from .config.schedule import plan_schedule
    from .measure.view import check_transformer
    from .pipeline.session import open_session
    from .tracking.store import open_store
    from .training.fit import fit, prepare, read_last_step

    if config.tda.transformer is not None:
        check_transformer(config.tda, config.probe.size)
    ingredients = prepare(config)
    store = open_store(config.tracking)
    schedule = plan_schedule(config.schedule, config.trainer.max_steps)
    tags = {"kind": "cell", "probe_hash": ingredients.data.probes.hash}
    with open_session(store, config, run, schedule, tags) as session:
        saved = read_last_step(run)
        session.take_up(saved)
        goes_on = "" if saved is None else f", going on from step {saved}"
        print(
            f"{run.path}: {len(schedule.checkpoints)} checkpoints in {config.trainer.max_steps} steps{_draws(config)}"
            f"{goes_on}"
        )
        fit(config, ingredients, schedule, run, session.submit, session.tracker.log, session.interrupts)
        session.finish()


def _draws(config: Config) -> str:
    """What the measurement takes from chance, where it is not what is usual."""
    tda, usual = config.tda, ModelConfig().draws
    if tda.transformer is None or (tda.subsamples, tda.null_draws) == (usual, usual):
        return ""
    return (
        f"; {tda.subsamples} subsamples and {tda.null_draws} null draws "
        f"(tda.subsamples={usual} tda.null_draws={usual} measures as finely as is usual)"
    )


if __name__ == "__main__":
    launch(run, "config", Config, show_outcome)
