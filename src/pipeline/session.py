"""One measurement while it goes on: jobs to the workers, results to MLflow, and at the end what it all comes to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..clouds.store import set_damaged_aside
from ..config import Config
from ..config.schedule import Schedule
from ..findings import finding_metrics, run_findings
from ..findings.finding import RunFindings
from ..findings.levelling import has_levelled_off
from ..measure.checkpoint import Job, Measurement, discard_damaged_results
from ..measure.layer import CheckpointSteps
from ..measure.pool import WorkerPool
from ..measure.rounding import apply_floor
from ..metrics.files import build_table, write_table
from ..metrics.second import derive_for_each
from ..metrics.table import NOT_FINITE
from ..rundir import RunDirectory
from ..rundir.state import discard_after
from ..tracking.tracker import Tracker
from .artifacts import log_artifacts
from .complete import complete_part
from .note import write_note
from .stopping import describe_stop, stop_rule
from .summary import summarize_findings

logger = logging.getLogger(__name__)


def _nothing() -> None: ...


def steps_completed(schedule: Schedule, step: int, last_checkpoint: int) -> Iterator[CheckpointSteps]:
    """The checkpoints that can be measured once `step` is there, with their pairs and windows."""
    for start in schedule.completed_at(step):
        earlier = [c for c in schedule.checkpoints if c < start]
        pairs, previous = tuple(schedule.pairs(start)), earlier[-1] if earlier else None
        is_last = start == last_checkpoint
        yield CheckpointSteps(start, pairs, previous, is_last=is_last, window=tuple(schedule.window(start)))


class Session:
    """Jobs out when their clouds are there, results in when they are ready."""

    def __init__(
        self, config: Config, run: RunDirectory, schedule: Schedule, tracker: Tracker, pool: WorkerPool,
        source: RunDirectory | None = None, last_checkpoint: int | None = None, *, trained: str = "",
    ) -> None:  # fmt: skip
        """
        Args:
            run: the directory that gets the results.
            source: the directory that holds the clouds, if it is another.
            last_checkpoint: of the run, if `schedule` does not go as far yet.
            trained: what is trained of the model, in words; of an analysis nothing.
        """
        self.config, self.run, self.schedule = config, run, schedule
        self.tracker, self.pool, self.source = tracker, pool, source or run
        self.last_checkpoint = max(schedule.checkpoints, default=0) if last_checkpoint is None else last_checkpoint
        self.trained = trained
        self.has_warned = False
        self.waited = dict[str, float]()
        self.ending: dict[str, Any] = {}
        """Of a training that ended early, what the note says of that."""
        self.on_measured: Callable[[], object] = _nothing
        """Called when a checkpoint was measured: somebody may show how far it is."""
        self.rule = stop_rule(config, schedule)
        self.stopped: int | None = None
        """The step that `trainer.stop` ended training at."""

    def resume_from(self, step: int | None) -> None:
        """Go on from a training state that was saved at `step`, or from nothing: what was measured is not again.

        Clouds that are damaged before they were measured can only be captured again, and so can what the base model
        predicted, which the steps to come are held against: training then starts over.
        """
        if step is not None:
            self.schedule = replace(self.schedule, windows=self._measured_windows(step))
        passed = [s for s in sorted(self.schedule.completions) if step is not None and s <= step]
        jobs = [job for s in passed for job in self._jobs(s)]
        for job in jobs:
            discard_damaged_results(job)
        waiting = [job for job in jobs if not job.run.metrics(job.at.step).exists()]
        needed = {self.source.clouds(s) for job in waiting for s in job.at.steps}
        needed |= {path for job in waiting for path in job.weight_clouds}
        if step is not None and step < self.config.trainer.max_steps:
            needed |= {self.run.base(), *self._awaited(step)}
        if set_damaged_aside(sorted(needed)):
            self.run.last.unlink(missing_ok=True)
            step, jobs = None, []
        discard_after(self.run, -1 if step is None else step)
        for job in jobs:
            self.pool.submit(job)

    def measure_stored(self) -> None:
        """Measure all checkpoints, whose clouds are stored; what an earlier start measured is not again."""
        for step in sorted(self.schedule.captured):
            self.submit_again(step)

    def submit_again(self, step: int) -> None:
        """As `submit`, of a step that an earlier start may have measured: what is whole is not measured again."""
        for job in self._jobs(step):
            discard_damaged_results(job)
        self.submit(step)

    def _awaited(self, step: int) -> Iterator[Path]:
        """Clouds that training itself reads after `step`: random updates are made where the points have moved most."""
        if self.config.tda.transformer is not None and self.config.tda.weight_draws:
            yield from (
                self.run.clouds(s) for s in self.schedule.checkpoints if s <= step < self.schedule.pairs(s)[0][1]
            )

    def submit(self, step: int) -> None:
        """Start what became possible at this step, and hand on what is finished."""
        for job in self._jobs(step):
            self.pool.submit(job)
        self._collect()

    def _jobs(self, step: int) -> Iterator[Job]:
        """What became possible at this step."""
        if self.config.tda.transformer is None:
            return
        for at in steps_completed(self.schedule, step, self.last_checkpoint):
            yield Job(self.source, self.run, at, self.config.tda)

    def _measured_windows(self, step: int) -> tuple[int, ...]:
        """The windows of the schedule but those whose steps a version that knew no windows passed by."""

        def was_passed(start: int) -> bool:
            passed = [s for s in self.schedule.window_steps(start) if s <= step]
            return bool(passed) and not any(self.run.clouds(s).exists() for s in passed)

        return tuple(start for start in self.schedule.windows if not was_passed(start))

    def stops(self, step: int) -> bool:
        """Whether `trainer.stop` ends training at this step, where the pairs of a checkpoint end.

        The checkpoints before that one decide, whose results are waited for: a run that was killed and goes on decides
        by the same numbers, and the workers have the time of one checkpoint.
        """
        if self.rule is None or step >= self.config.trainer.max_steps:
            return False
        for start in self.schedule.completed_at(step):
            self._collect(before=start)
            known = [c for c in self.schedule.checkpoints if c < start]
            table = build_table(self.run, known, behavior=self.source.spool)
            if has_levelled_off(derive_for_each(apply_floor, table), self.rule):
                self.stopped = step
        return self.stopped is not None

    def end_stopped(self) -> None:
        """After the training: if `trainer.stop` ended it, what follows is about what was measured."""
        if self.stopped is None:
            return
        self.schedule = complete_part(self.schedule, self.source)
        stopped, steps = describe_stop(self.config, self.stopped), self.config.trainer.max_steps
        self.ending = {"last_step": self.stopped, "stopped": stopped}
        logger.info("%s", stopped)
        self.tracker.tag({"stopped_at": str(self.stopped), "stopped_by": self.config.trainer.stop})
        self.tracker.log({"cost/steps_saved": steps - self.stopped}, steps)

    def _collect(self, *, wait: bool = False, before: int = 0) -> None:
        for measured in self.pool.collect(wait=wait, before=before):
            self.tracker.log(measured.metrics | {"cost/topology_seconds": measured.seconds}, measured.step)
            self.tracker.skipped += measured.skipped
            self._warn_of_left_out(measured)
            self.tracker.log_picture(self.run.picture(measured.step), "diagrams", measured.step)
            self.on_measured()
        self.tracker.flush()

    def _warn_of_left_out(self, measured: Measurement) -> None:
        """Once a run: the note names every checkpoint."""
        prefix = f"geometry/{NOT_FINITE}/"
        layers = sorted(key.removeprefix(prefix) for key in measured.metrics if key.startswith(prefix))
        if layers and not self.has_warned:
            self.has_warned = True
            logger.warning(
                "checkpoint %d: activations of %s are not finite; left out there, the other blocks go on",
                measured.step, ", ".join(layers),
            )  # fmt: skip

    def finish(self) -> dict[str, Any]:
        """Wait for the workers, then write, upload and sum up all that was measured.

        Returns:
            What the note and the terminal show.

        Raises:
            RuntimeError: if a checkpoint could not be measured.
        """
        start = time.perf_counter()
        self._collect(wait=True)
        self.waited = {"cost/waiting_seconds": time.perf_counter() - start}
        self._log_counts()
        table = build_table(self.run, self.schedule.checkpoints, behavior=self.source.spool)
        table = derive_for_each(apply_floor, table)
        write_table(self.run, table)
        log_artifacts(self.tracker, self.run, self.config, self.schedule, table)
        if self.pool.failed:
            raise RuntimeError(
                f"checkpoints {self.pool.failed} could not be measured ({self.pool.reason}); their clouds are kept in "
                f"{self.source.path}"
            )
        found = run_findings(table) if self.config.tda.transformer is not None else {}
        self._log_findings(found)
        last_step = self.stopped or self.config.trainer.max_steps
        summary = summarize_findings(self.config, self.schedule, table, found, last_step, self.trained) | self.ending
        self.tracker.write_note(write_note(self.config, summary))
        return summary

    def end_early(self, measured: Schedule, last_step: int) -> None:
        """The training was seen up to `last_step` only, or not at every step of the schedule.

        Args:
            measured: the checkpoints whose pairs came, all of them submitted.
        """
        self.ending = {"last_step": last_step}
        planned, self.schedule = self.schedule, measured
        if measured == planned:
            return
        count, of = len(measured.checkpoints), len(planned.checkpoints)
        steps = self.config.trainer.max_steps
        why = f"training ended after step {last_step} of {steps}" if last_step < steps else "steps were not observed"
        self.ending["missing"] = f"{why}: {count} of {of} checkpoints are measured"
        logger.warning("%s", self.ending["missing"])
        self.tracker.tag({"partial": "true"})

    def _log_counts(self) -> None:
        skipped, failed = self.tracker.skipped, len(self.pool.failed)
        counts = {"cost/skipped_metrics": skipped, "cost/failed_checkpoints": failed} | self.waited
        self.tracker.log(counts, self.config.trainer.max_steps)
        self.tracker.flush()

    def _log_findings(self, found: RunFindings) -> None:
        self.tracker.log(finding_metrics(found), self.config.trainer.max_steps)
        self.tracker.flush()
        self.tracker.tag({f"{name}_H{k}": finding.label for (name, k), finding in found.items() if finding.label})
