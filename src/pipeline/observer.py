"""A model read at the scheduled steps and measured, whoever trained it: by `src.track` and by the callbacks."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Any

from ..clouds.store import set_damaged_aside
from ..config import RequestError
from ..config.track import TrackConfig, name_steps, schedule_of
from ..data.probes import ProbeSet
from ..metrics.table import BEHAVIOR
from ..rundir import RunDirectory
from ..rundir.state import discard_after
from ..tracking.mend import mend_log
from ..tracking.store import open_store
from ..training.network import Network
from ..training.probe_capture import ProbeCapture
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

    def start(self) -> None:
        """Go on with what the directory holds, or begin; raises as `start_run` does."""
        store = open_store(self.config.tracking)
        tags = run_tags(self.config, "track", self.probes.hash, source=self.config.track.source)
        with ExitStack() as stack:
            self._started = stack.enter_context(start_run(store, self.config, self.run, is_guest=self.is_guest))
            mended = mend_log(self.run)
            replaces = self._started.replaces or mended.replaces
            self._session = stack.enter_context(
                open_session(store, self.config, self.run, self.schedule, self._started, tags, replaces)
            )
            stored = [self.run.clouds(s) for s in sorted(self.schedule.captured) if self.run.clouds(s).exists()]
            set_damaged_aside([*stored, *([self.run.base()] if self.run.base().exists() else [])])
            self._stack = stack.pop_all()

    def go_on_after(self, step: int) -> None:
        """Take over what was captured up to a step, when training goes on from there; nothing later counts.

        Raises:
            RequestError: if some of it is not there.
        """
        passed = [s for s in sorted(self.schedule.captured) if s <= step]
        lacking = [s for s in passed if not self.has(s)]
        if lacking:
            raise RequestError(
                f"{self.run.path}: training goes on from step {step}, and {name_steps(lacking)} were not captured; "
                "give the run directory of the training's first start, or train from the beginning"
            )
        discard_after(self.run, step)
        for earlier in passed:
            self._session.submit_again(earlier)

    def has(self, step: int) -> bool:
        """Whether nothing more has to be read off the model of this step."""
        if not (self.run.clouds(step).exists() and self.run.base().exists()):
            return False
        return step not in self.schedule.checkpoints or self._session.tracker.has_logged(KL, step)

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

    def _capture_of(self, network: Network) -> ProbeCapture:
        if self._capture is None or self._capture.network.causal is not network.causal:
            self._capture = ProbeCapture(
                network, self.probes, self.config.probe, self.schedule, self.run, self._session.tracker.log
            )
        return self._capture

    def log(self, values: dict[str, float], step: int) -> None:
        """Numbers of the training, by what they are called in `behavior/`."""
        self._session.tracker.log({BEHAVIOR + name: value for name, value in values.items()}, step)

    def finish(self) -> dict[str, Any]:
        """Wait for the workers; write, draw and sum up.

        Raises:
            RuntimeError: if a checkpoint could not be measured.
        """
        with self._stack:
            self._started.summary |= self._session.finish() | {"lag": self.schedule.lag}
        return self._started.summary

    def close(self, error: BaseException) -> None:
        """End as what the error says, without waiting for anything; nothing after `finish`."""
        self._stack.__exit__(type(error), error, error.__traceback__)
