"""One tracked measurement, from training or from stored clouds: jobs to workers, results to MLflow, an honest end."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pandas as pd

from .config import Config
from .figures.interactive import make_page
from .figures.picture import draw_png
from .figures.run import choose_shown, draw_betti, draw_diagrams, draw_drift, draw_velocity
from .measure.checkpoint import Job
from .measure.pool import WorkerPool
from .measure.shapes import read_shapes
from .measure.table import build_table, mark_floor, path_length, write_table
from .report import write_note
from .resolve import count_workers
from .rundir import RunDirectory, config_hash, run_name
from .tracking import Store, Tracker, git_commit, track_run
from .training.schedule import Schedule
from .work import finish

logger = logging.getLogger(__name__)


class Session:
    """Jobs out when their clouds are there, results in when they are ready."""

    def __init__(
        self, config: Config, source: RunDirectory, run: RunDirectory, schedule: Schedule, pool: WorkerPool,
        tracker: Tracker,
    ) -> None:  # fmt: skip
        self.config, self.source, self.run, self.schedule = config, source, run, schedule
        self.pool, self.tracker = pool, tracker
        self.summary: dict[str, Any] = {}

    def submit(self, step: int) -> None:
        """Start what became possible at this step, and hand on what is finished."""
        if self.config.tda.transformer is not None:
            for start in self.schedule.completed_at(step):
                earlier = [c for c in self.schedule.checkpoints if c < start]
                pairs, previous = tuple(self.schedule.pairs(start)), earlier[-1] if earlier else None
                self.pool.submit(Job(self.source, self.run, start, pairs, previous, self.config.tda))
        self._collect()

    def _collect(self, *, wait: bool = False) -> None:
        for measured in self.pool.collect(wait=wait):
            self.tracker.log(measured.metrics | {"cost/topology_seconds": measured.seconds}, measured.step)
            self.tracker.skipped += measured.skipped
            self.tracker.log_picture(self.run.picture(measured.step), "diagrams", measured.step)
        self.tracker.flush()

    def finish(self) -> None:
        """Wait for the workers, write the table, upload the artifacts.

        Raises:
            RuntimeError: if a checkpoint could not be measured.
        """
        self._collect(wait=True)
        counts = {"cost/skipped_metrics": self.tracker.skipped, "cost/failed_checkpoints": len(self.pool.failed)}
        self.tracker.log(counts, self.config.trainer.max_steps)
        self.tracker.flush()
        table = mark_floor(build_table(self.run, self.schedule.checkpoints, behavior=self.source.spool))
        write_table(self.run, table)
        for path in (self.run.config, self.run.table):
            self.tracker.log_artifact(path)
        for step in self.schedule.checkpoints:
            if self.run.diagrams(step).exists():
                self.tracker.log_artifact(self.run.diagrams(step), f"diagrams/{self.run.step(step).name}")
        self._draw(table)
        if self.pool.failed:
            raise RuntimeError(
                f"checkpoints {self.pool.failed} could not be measured; their clouds are kept in {self.source.path}"
            )
        self.summary = self._summarize(table)
        self.tracker.write_note(write_note(self.config, self.summary))

    def _draw(self, table: pd.DataFrame) -> None:
        """The figures of the whole run, as PNG and as one interactive page."""
        done = [step for step in self.schedule.checkpoints if self.run.metrics(step).exists()]
        stored = {step: read_shapes(self.run.diagrams(step)) for step in done}
        # A cloud in one place has no shape to draw; a layer is drawn where it has one throughout.
        layers = [n for n in next(iter(stored.values()), {}) if all(shapes[n].scale for shapes in stored.values())]
        if not layers:
            return
        diagrams = {step: {name: shapes[name].scaled for name in layers} for step, shapes in stored.items()}
        shown, dimensions = choose_shown(layers), self.config.tda.dimensions
        whole = [
            draw_velocity(table, dimensions),
            draw_drift(table, dimensions),
            draw_betti(diagrams, shown, dimensions),
        ]
        self.run.figures.mkdir(exist_ok=True)
        for figure in whole:
            (self.run.figures / f"{figure.name}.png").write_bytes(draw_png(figure))
        page = make_page(run_name(self.config), [*whole, draw_diagrams(diagrams, shown, dimensions)])
        (self.run.figures / "figures.html").write_text(page, encoding="utf-8")
        for path in sorted(self.run.figures.iterdir()):
            self.tracker.log_artifact(path, "figures")

    def _summarize(self, table: pd.DataFrame) -> dict[str, Any]:
        losses = table[table.quantity.str.startswith("eval_loss_")].groupby("quantity").value
        lengths = {k: path_length(table, k) for k in self.config.tda.dimensions}
        below = table[table.quantity == "below_floor"].value
        return {
            "losses": {name: [float(v.iloc[0]), float(v.iloc[-1])] for name, v in losses},
            "checkpoints": len(self.schedule.checkpoints),
            "path_length": {f"H{k}": value for k, value in lengths.items() if value is not None},
            "velocities": len(below),
            "velocities_below_floor": int(below.sum()),
        }


@contextmanager
def open_session(
    store: Store, config: Config, run: RunDirectory, schedule: Schedule, tags: Mapping[str, str], *,
    replaces: str | None, source: RunDirectory | None = None,
) -> Iterator[Session]:  # fmt: skip
    """Workers, MLflow run, log file and status around a measurement; what happens inside ends in all of them.

    Args:
        store: where MLflow keeps its runs.
        run: the directory that gets the results.
        tags: `kind`, `probe_hash` and whatever else is not in the configuration.
        replaces: the MLflow run of an earlier start.
        source: the directory that holds the clouds, if it is another.
    """
    hashed = config_hash(config)
    known = {
        "model": config.model.name, "stage": config.model.stage, "objective": config.objective.name,
        "tda": config.tda.name, "seed": str(config.seed), "sweep": config.sweep, "config_hash": hashed,
        "git_commit": git_commit(),
    }  # fmt: skip
    handler = logging.FileHandler(run.log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    ours = logging.getLogger(__package__)
    ours.addHandler(handler)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with (
            track_run(store, config, run, known | dict(tags), replaces) as tracker,
            WorkerPool(count_workers(config.tda), finish) as pool,
        ):
            session = Session(config, source or run, run, schedule, pool, tracker)
            yield session
        run.write_status("done", config_hash=hashed, summary=session.summary)
    except BaseException as error:
        run.write_status("failed", config_hash=hashed, reason=f"{type(error).__name__}: {error}")
        trace = (type(error), error, error.__traceback__)
        handler.handle(logger.makeRecord(logger.name, logging.ERROR, __file__, 0, "the run failed", (), trace))
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        ours.removeHandler(handler)
        handler.close()


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
