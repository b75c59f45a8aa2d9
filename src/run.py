"""`python -m src.run`: one cell, from a configuration to a run directory and an MLflow run."""

from __future__ import annotations

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from .command import launch
from .config import Config
from .report import show_summary
from .resolve import complete_config, resolve_config
from .rundir import RunDirectory, check_earlier_start, place_run, start_over


def run(composed: DictConfig) -> None:
    """Compose, validate, skip what is done, else run the cell."""
    config = resolve_config(composed)
    directory = place_run(config, _with_defaults())
    if check_earlier_start(directory, config):
        print(f"{directory.path}: done already, skipped (force=true starts over)")
    else:
        run_cell(config, directory)
    show_summary(directory.read_status()["summary"])


def _with_defaults() -> Config:
    """The same choice of model, objective and method with nothing else overridden."""
    choices = HydraConfig.get().runtime.choices
    return complete_config(compose("config", [f"{group}={choices[group]}" for group in ("model", "objective", "tda")]))


def run_cell(config: Config, run: RunDirectory) -> None:
    """Fine-tune, capture, measure and track one configuration.

    Raises:
        RequestError: before anything is written, if model, data or store cannot be had.
        RuntimeError: at the end, if a checkpoint could not be measured.
    """
    # Late: composing and checking a request must not wait for torch and MLflow.
    from .measure.shapes import check_transformer
    from .session import open_session
    from .tracking import open_store
    from .training.fit import fit, prepare
    from .training.schedule import plan_schedule

    if config.tda.transformer is not None:
        check_transformer(config.tda)
    ingredients = prepare(config)
    store = open_store(config.tracking)
    schedule = plan_schedule(config.schedule, config.trainer.max_steps)
    tags = {"kind": "cell", "probe_hash": ingredients.data.probes.hash}
    with open_session(store, config, run, schedule, tags, replaces=start_over(run, config)) as session:
        print(f"{run.path}: {len(schedule.checkpoints)} checkpoints in {config.trainer.max_steps} steps")
        fit(config, ingredients, schedule, run, session.submit, session.tracker.log)
        session.finish()


if __name__ == "__main__":
    launch(run, "config", Config)
