"""One tracked measurement, from training or from stored clouds: jobs to workers, results to MLflow, an honest end."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import PACKAGE
from ..clouds.store import set_damaged_aside
from ..config import Config
from ..config.identity import config_hash
from ..config.memory import count_workers
from ..config.schedule import Schedule
from ..findings import HEADLINES, finding_metrics, run_findings, sentences
from ..measure.checkpoint import Job
from ..measure.layer import Checkpoint
from ..measure.pool import WorkerPool
from ..metrics.derived import mark_floor
from ..metrics.files import build_table, write_table
from ..rundir import RunDirectory
from ..rundir.state import begin, discard_after
from ..system.signals import Interrupts, listening
from ..system.version import git_commit
from ..tracking.journal import tracked_as
from ..tracking.store import Store, write_views
from ..tracking.tracker import Tracker, occupy, track_run
from .artifacts import log_figures
from .checkpoint_task import finish
from .note import write_note
from .summary import summarize_run

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
        if set_damaged_aside(sorted(needed)):
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
        log_figures(self.tracker, self.run, self.config, self.schedule, table)
        if self.pool.failed:
            raise RuntimeError(
                f"checkpoints {self.pool.failed} could not be measured; their clouds are kept in {self.source.path}"
            )
        found = run_findings(table) if self.config.tda.transformer is not None else {}
        self.tracker.log(finding_metrics(found), self.config.trainer.max_steps)
        self.tracker.flush()
        self.tracker.tag({f"{name}_H{k}": finding.word for (name, k), finding in found.items() if finding.word})
        self.summary = summarize_run(self.config, self.schedule, table) | {
            "findings": sentences(found), "headlines": sentences(found, HEADLINES),
        }  # fmt: skip
        self.tracker.write_note(write_note(self.config, self.summary))


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
    ours = logging.getLogger(PACKAGE)
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
