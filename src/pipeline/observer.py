"""A model read at the scheduled steps and measured, whoever trained it: by `src.track` and by the callbacks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from ..clouds.store import set_damaged_aside
from ..config import RequestError
from ..config.track import TrackConfig, name_steps, schedule_of
from ..data.probes import ProbeSet
from ..metrics.table import BEHAVIOR
from ..rundir import RunDirectory
from ..rundir.kept import discard_clouds, steps_kept
from ..rundir.state import discard_after
from ..tracking.journal import EarlierRun, read_logged
from ..tracking.mend import drop_numbers, mend_log
from ..tracking.store import open_store
from ..training.network import Network
from ..training.probe_capture import ProbeCapture
from .complete import complete_part
from .session import Session
from .start import StartedRun, open_session, run_tags, start_run

logger = logging.getLogger(__name__)

KL = f"{BEHAVIOR}kl_to_base"


class Observer:
    """Between `start` and `finish` or `close`: the run directory is locked, and worker processes measure."""

    def __init__(self, config: TrackConfig, run: RunDirectory, probes: ProbeSet, *, is_guest: bool) -> None:
        """
        Args:
            config: complete, its schedule too.
            is_guest: the process is somebody else's, and so are its signals.
        """
        self.config, self.run, self.probes, self.is_guest = config, run, probes, is_guest
        self.schedule = schedule_of(config)
        self._stack = ExitStack()
        self._capture: ProbeCapture | None = None
        self._session: Session
        self._started: StartedRun

    def start(self, step: int = 0) -> None:
        """Go on with what the directory holds, or begin; raises as `start_run` does.

        Args:
            step: that training goes on from. What was captured up to it is taken over, and nothing later counts.

        Raises:
            RequestError: if some of what was captured before is not there.
        """
        store = open_store(self.config.tracking)
        tags = run_tags(self.config, "track", self.probes.hash, source=self.config.track.source)
        with ExitStack() as stack:
            self._started = stack.enter_context(start_run(store, self.config, self.run, is_guest=self.is_guest))
            replaces = self._started.replaces or mend_log(self.run).replaces
            self._set_damaged_aside()
            if step:
                replaces = self._forget_after(step) or replaces
            self._session = stack.enter_context(
                open_session(store, self.config, self.run, self.schedule, self._started, tags, replaces)
            )
            for earlier in sorted(self.schedule.captured):
                if earlier < step:  # `observe` submits what it ends itself
                    self._session.submit_again(earlier)
            self._stack = stack.pop_all()

    def _set_damaged_aside(self) -> None:
        for step in sorted(self.schedule.captured):
            clouds = self.run.clouds(step)
            if clouds.exists() and set_damaged_aside([clouds]):
                clouds.unlink(missing_ok=True)  # a file beside it is damaged: the step is captured again as a whole
        if self.run.base().exists():
            set_damaged_aside([self.run.base()])

    def _forget_after(self, step: int) -> EarlierRun | None:
        """Remove what an earlier training came to after `step`; returns the MLflow run that has numbers of it.

        Raises:
            RequestError: if something that was captured up to there is not there.
        """
        logged, _ = read_logged(self.run)
        passed = [s for s in sorted(self.schedule.captured) if s <= step]
        lacking = [s for s in passed if not self._is_whole(s, (KL, s) in logged)]
        if lacking:
            raise RequestError(
                f"{self.run.path}: training goes on from step {step}, and {name_steps(lacking)} were not captured; "
                "give the run directory of the training's first start, or train from the beginning"
            )
        discard_after(self.run, step)
        # A checkpoint before that step whose pairs end behind it was measured with what is gone now.
        open_ones = {s for s in self.schedule.checkpoints if s <= step < self.schedule.end(s)}
        for checkpoint in open_ones:
            self.run.metrics(checkpoint).unlink(missing_ok=True)
        return drop_numbers(self.run, lambda key, at: at > step or (at in open_ones and not key.startswith(BEHAVIOR)))

    def has(self, step: int) -> bool:
        """Whether nothing more has to be read off the model of this step."""
        return self._is_whole(step, self._session.tracker.has_logged(KL, step))

    def _is_whole(self, step: int, is_compared: bool) -> bool:
        """`is_compared`: whether its distance from the base was logged."""
        is_captured = self.run.clouds(step).exists() and self.run.base().exists()
        return is_captured and (is_compared or step not in self.schedule.checkpoints)

    def observe(self, network: Network, step: int) -> None:
        """Capture the step if it is scheduled, and start what became possible by it.

        Raises:
            ValueError: if another step comes before step 0.
        """
        if step not in self.schedule.captured:
            return
        if not self.has(step):
            if step and not self.run.base().exists():
                raise ValueError(f"step {step} comes before step 0: observe the model once before its first update")
            capture = self._capture_of(network)
            last_states = capture.write_clouds(step)
            capture.compare_to_base(last_states, step, evaluate=step in self.schedule.checkpoints)
        self._session.submit_again(step)

    def stops(self, step: int) -> bool:
        """Whether `trainer.stop` ends training at this step, or ended it before."""
        return self._session.stops(step)

    def _capture_of(self, network: Network) -> ProbeCapture:
        if self._capture is None or self._capture.network.causal is not network.causal:
            self._capture = ProbeCapture(
                network, self.probes, self.config.probe, self.schedule, self.run, self._session.tracker.log
            )
        return self._capture

    def on_measured(self, call: Callable[[], object]) -> None:
        """Have something called whenever a checkpoint was measured, from the process that observes."""
        self._session.on_measured = call

    def log(self, values: dict[str, float], step: int) -> None:
        """Numbers of the training, by what they are called in `behavior/`."""
        self._session.tracker.log({BEHAVIOR + name: value for name, value in values.items()}, step)

    def finish(self, last_step: int | None = None) -> dict[str, Any]:
        """Wait for the workers; write, draw and sum up.

        Args:
            last_step: the last one that was seen of the training; None: all of the schedule was.

        Returns:
            The summary, of those checkpoints whose pairs were captured.

        Raises:
            RuntimeError: if a checkpoint could not be measured, or none was captured with all of its pairs.
        """
        with self._stack:
            if self._session.stopped is not None and self._session.stopped == last_step:
                self._session.end_stopped()
            elif last_step is not None:
                self._end_at(last_step)
            self._started.summary |= self._session.finish() | {"lag": self.schedule.lag}
        if self._started.state == "done":
            discard_clouds(self.run, self.config.clouds.keep, steps_kept(self._session.schedule))
        return self._started.summary

    def _end_at(self, last_step: int) -> None:
        measured = complete_part(self.schedule, self.run)
        if measured == self.schedule and last_step >= self.config.trainer.max_steps:
            return
        if not measured.checkpoints:
            raise RuntimeError(
                f"training ended after step {last_step} of {self.config.trainer.max_steps}, before the pairs of any "
                "checkpoint were captured; nothing can be measured"
            )
        self._session.end_early(measured, last_step)
        if measured != self.schedule:
            self._started.state = "partial"

    def close(self, error: BaseException) -> None:
        """End as what the error says, without waiting for anything; nothing after `finish`."""
        self._stack.__exit__(type(error), error, error.__traceback__)
