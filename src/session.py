"""One tracked measurement, from training or from stored clouds: jobs to workers, results to MLflow, an honest end."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from .clouds.store import read_clouds
from .config import Config
from .figures.interactive import make_page
from .figures.motion import draw_excess, draw_movement, draw_speed
from .figures.picture import draw_png
from .figures.run import choose_shown, draw_betti, draw_diagrams, draw_drift, draw_velocity
from .findings import HEADLINES, finding_metrics, run_findings, sentences
from .integrity import DamagedError, set_aside
from .interrupts import Interrupts, listening
from .journal import tracked_as
from .measure.checkpoint import Job
from .measure.layer import Checkpoint
from .measure.pool import WorkerPool
from .measure.shapes import read_shapes
from .measure.table import build_table, mark_floor, path_length, write_table
from .memory import count_workers
from .report import JUDGED, write_note
from .rundir import RunDirectory, begin, config_hash, discard_after, run_name
from .tracking import Store, Tracker, git_commit, occupy, track_run, write_views
from .training.schedule import Schedule
from .work import finish

logger = logging.getLogger(__name__)


class Session:
    """Jobs out when their clouds are there, results in when they are ready."""

    def __init__(
        self, config: Config, source: RunDirectory, run: RunDirectory, schedule: Schedule, pool: WorkerPool,
        tracker: Tracker, interrupts: Interrupts,
    ) -> None:  # fmt: skip
        self.interrupts = interrupts
        self.config, self.source, self.run, self.schedule = config, source, run, schedule
        self.pool, self.tracker = pool, tracker
        self.summary: dict[str, Any] = {}

    def take_up(self, step: int | None) -> None:
        """Go on from a training state that was saved at `step`, or from nothing: what was measured is not again.

        Clouds that are damaged before they were measured can only be captured again, and so can what the base model
        said, which the steps to come are held against: training then starts over.
        """
        passed = [s for s in sorted(self.schedule.completions) if step is not None and s <= step]
        jobs = [job for s in passed for job in self._jobs(s)]
        waiting = [job for job in jobs if not job.run.metrics(job.at.step).exists()]
        needed = {self.source.clouds(s) for job in waiting for s in job.at.steps}
        if step is not None and step < self.config.trainer.max_steps:
            needed.add(self.run.base())
        if _set_damaged_aside(sorted(needed)):
            self.run.last.unlink(missing_ok=True)
            step, jobs = None, []
        discard_after(self.run, -1 if step is None else step)
        for job in jobs:
            self.pool.submit(job)

    def submit(self, step: int) -> None:
        """Start what became possible at this step, and hand on what is finished."""
        for job in self._jobs(step):
            self.pool.submit(job)
        self._collect()

    def _jobs(self, step: int) -> Iterator[Job]:
        """What became possible at this step."""
        if self.config.tda.transformer is None:
            return
        for start in self.schedule.completed_at(step):
            earlier = [c for c in self.schedule.checkpoints if c < start]
            pairs, previous = tuple(self.schedule.pairs(start)), earlier[-1] if earlier else None
            yield Job(self.source, self.run, Checkpoint(start, pairs, previous), self.config.tda)

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
        found = run_findings(table) if self.config.tda.transformer is not None else {}
        self.tracker.log(finding_metrics(found), self.config.trainer.max_steps)
        self.tracker.flush()
        self.tracker.tag({f"{name}_H{k}": finding.word for (name, k), finding in found.items() if finding.word})
        self.summary = self._summarize(table) | {
            "findings": sentences(found), "headlines": sentences(found, HEADLINES),
        }  # fmt: skip
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
            draw_speed(table, dimensions),
            *([draw_excess(table, dimensions)] if (table.quantity == "excess").any() else []),
            *([draw_movement(table)] if (table.quantity == "rigid_share").any() else []),
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
        judged = table[table.quantity.isin(JUDGED)].groupby("quantity").value
        lengths = {k: path_length(table, k) for k in self.config.tda.dimensions}
        return {
            "judged": {name: [float(v.iloc[0]), float(v.iloc[-1])] for name, v in judged},
            "checkpoints": len(self.schedule.checkpoints),
            "path_length": {f"H{k}": value for k, value in lengths.items() if value is not None},
        }


def _set_damaged_aside(files: Iterable[Path]) -> bool:
    """Whether one of the files of clouds was damaged."""
    damaged = False
    for path in files:
        try:
            read_clouds(path)
        except DamagedError as error:
            set_aside(path, error.reason)
            damaged = True
    return damaged


@contextmanager
def open_session(
    store: Store, config: Config, run: RunDirectory, schedule: Schedule, tags: Mapping[str, str], *,
    source: RunDirectory | None = None,
) -> Iterator[Session]:  # fmt: skip
    """Workers, MLflow run, log file and status around a measurement; what happens inside ends in all of them.

    Goes on with what an earlier start left in the directory, unless the configuration says `force`.

    Args:
        store: where MLflow keeps its runs.
        run: the directory that gets the results.
        tags: `kind`, `probe_hash` and whatever else is not in the configuration.
        source: the directory that holds the clouds, if it is another.
    """
    hashed = config_hash(config)
    known = {
        "model": config.model.name, "stage": config.model.stage, "objective": config.objective.name,
        "tda": config.tda.name, "seed": str(config.seed), "sweep": config.sweep, "config_hash": hashed,
        "git_commit": git_commit(),
    }  # fmt: skip
    held = occupy(run)
    replaces = tracked_as(run) if config.force else None
    begin(run, config, afresh=config.force)
    handler = logging.FileHandler(run.log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    ours = logging.getLogger(__package__)
    ours.addHandler(handler)
    try:
        write_views(store)
        with (
            listening() as interrupts,
            track_run(store, config, run, known | dict(tags), replaces, held) as tracker,
            WorkerPool(count_workers(config.tda), finish) as pool,
        ):
            session = Session(config, source or run, run, schedule, pool, tracker, interrupts)
            yield session
        session.summary["views"] = write_views(store)
        run.write_status("done", config_hash=hashed, summary=session.summary)
    except BaseException as error:
        state = "failed" if isinstance(error, Exception) else "interrupted"
        run.write_status(state, config_hash=hashed, reason=f"{type(error).__name__}: {error}")
        trace = (type(error), error, error.__traceback__)
        handler.handle(logger.makeRecord(logger.name, logging.ERROR, __file__, 0, "the run failed", (), trace))
        raise
    finally:
        ours.removeHandler(handler)
        handler.close()
