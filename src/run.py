"""`python -m src.run`: one cell, from a configuration to a run directory and an MLflow run."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from .command import launch
from .config import Config
from .resolve import complete_config, resolve_config
from .rundir import RunDirectory, check_earlier_start, config_hash, place_run, start_over

if TYPE_CHECKING:
    from .measure.pool import WorkerPool
    from .tracking import Tracker
    from .training.schedule import Schedule

logger = logging.getLogger(__name__)


def run(composed: DictConfig) -> None:
    """Compose, validate, skip what is done, else run the cell."""
    config = resolve_config(composed)
    directory = place_run(config, _with_defaults())
    if check_earlier_start(directory, config):
        print(f"{directory.path}: done already, skipped (force=true starts over)")
        _show(directory.read_status()["summary"])
        return
    run_cell(config, directory)


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
    from .measure.pool import WorkerPool
    from .tracking import git_commit, open_experiment, track_run
    from .training.fit import fit, prepare
    from .training.schedule import plan_schedule

    ingredients = prepare(config)
    store = open_experiment(config.tracking)
    schedule = plan_schedule(config.schedule, config.trainer.max_steps)
    replaces = start_over(run, config)
    tags = {
        "kind": "cell", "model": config.model.name, "stage": config.model.stage, "objective": config.objective.name,
        "tda": config.tda.name, "seed": str(config.seed), "sweep": config.sweep, "config_hash": config_hash(config),
        "probe_hash": ingredients.data.probes.hash, "git_commit": git_commit(),
    }  # fmt: skip
    with (
        _recorded(run, config_hash(config)) as record,
        track_run(store, config, run, tags, replaces) as tracker,
        WorkerPool(config.tda.workers) as pool,
    ):
        print(f"{run.path}: {len(schedule.checkpoints)} checkpoints in {config.trainer.max_steps} steps")
        measuring = Measuring(config, run, schedule, pool, tracker)
        fit(config, ingredients, schedule, run, measuring.submit, tracker.log)
        record["summary"] = measuring.finish()
    _show(record["summary"])


class Measuring:
    """Between the training loop, the workers and MLflow: jobs out when clouds are there, results in when ready."""

    def __init__(
        self, config: Config, run: RunDirectory, schedule: Schedule, pool: WorkerPool, tracker: Tracker
    ) -> None:
        self.config, self.run, self.schedule, self.pool, self.tracker = config, run, schedule, pool, tracker

    def submit(self, step: int) -> None:
        """Start what became possible at this step, and hand on what is finished."""
        from .measure.checkpoint import Job

        if self.config.tda.transformer is not None:
            for start in self.schedule.completed_at(step):
                earlier = [c for c in self.schedule.checkpoints if c < start]
                pairs = tuple(self.schedule.pairs(start))
                self.pool.submit(Job(self.run, start, pairs, earlier[-1] if earlier else None, self.config.tda))
        self._collect()

    def _collect(self, *, wait: bool = False) -> None:
        for measured in self.pool.collect(wait=wait):
            self.tracker.log(measured.metrics | {"cost/topology_seconds": measured.seconds}, measured.step)
            self.tracker.skipped += measured.skipped
            self.tracker.flush()

    def finish(self) -> dict[str, Any]:
        """Wait for the workers, write the table, upload the artifacts; returns what the terminal shows."""
        from .measure.table import build_table, path_length, write_table

        self._collect(wait=True)
        self.tracker.log({"cost/skipped_metrics": self.tracker.skipped}, self.config.trainer.max_steps)
        self.tracker.flush()
        table = build_table(self.run, self.schedule.checkpoints)
        write_table(self.run, table)
        for path in (self.run.config, self.run.table):
            self.tracker.log_artifact(path)
        for step in self.schedule.checkpoints:
            if self.run.diagrams(step).exists():
                self.tracker.log_artifact(self.run.diagrams(step), f"diagrams/{self.run.step(step).name}")
        if self.pool.failed:
            raise RuntimeError(
                f"checkpoints {self.pool.failed} could not be measured; their clouds are kept in {self.run.path}"
            )
        losses = table[table.quantity.str.startswith("eval_loss_")].groupby("quantity").value
        lengths = {k: path_length(table, k) for k in self.config.tda.dimensions}
        return {
            "losses": {name: [float(v.iloc[0]), float(v.iloc[-1])] for name, v in losses},
            "checkpoints": len(self.schedule.checkpoints),
            "path_length": {f"H{k}": value for k, value in lengths.items() if value is not None},
        }


@contextmanager
def _recorded(run: RunDirectory, hashed: str) -> Iterator[dict[str, Any]]:
    """Log file and status of a run: what happens inside ends in both."""
    handler = logging.FileHandler(run.log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger(__package__).addHandler(handler)
    before = signal.signal(signal.SIGTERM, _interrupt)
    record: dict[str, Any] = {}
    try:
        yield record
        run.write_status("done", config_hash=hashed, **record)
    except BaseException as error:
        run.write_status("failed", config_hash=hashed, reason=f"{type(error).__name__}: {error}")
        handler.handle(logger.makeRecord(logger.name, logging.ERROR, "", 0, "the run failed", (), _exc_info(error)))
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        logging.getLogger(__package__).removeHandler(handler)
        handler.close()


def _exc_info(error: BaseException) -> tuple[type[BaseException], BaseException, Any]:
    return type(error), error, error.__traceback__


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _show(summary: dict[str, Any]) -> None:
    """A short table on the terminal, and how to see the rest."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "before", "after")
    for name, (before, after) in summary["losses"].items():
        table.add_row(name.replace("eval_loss_", "held-out loss, "), f"{before:.3f}", f"{after:.3f}")
    table.add_row("checkpoints", "", str(summary["checkpoints"]))
    for dimension, length in summary["path_length"].items():
        table.add_row(f"path length, {dimension}", "", f"{length:.3f}")
    Console().print(table)
    print("Compare runs in the MLflow UI:  python -m src.ui")


if __name__ == "__main__":
    launch(run, "config", Config)
