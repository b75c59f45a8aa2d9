"""What is read off a model at a scheduled step, whoever trains it: clouds, reference rows, distance from the base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ..clouds.capture import Cloud
from ..clouds.layers import choose_layers
from ..clouds.store import write_clouds
from ..config import ProbeConfig
from ..config.schedule import Schedule
from ..data.probes import ProbeSet
from ..rundir import RunDirectory
from .behaviour import kl_to_base, next_token_logprobs, read_base_logprobs, write_base_logprobs
from .module import Log
from .network import Network
from .probing import capture_probes, capture_reference
from .ranks import ALONE, Ranks


class ProbeCapture:
    """Files of the steps of one run; the model is left as it was, and so are random numbers."""

    def __init__(
        self, network: Network, probes: ProbeSet, settings: ProbeConfig, schedule: Schedule, run: RunDirectory,
        log: Log, ranks: Ranks = ALONE,
    ) -> None:  # fmt: skip
        """`ranks`: the processes that train together; all of them capture, the leader writes."""
        self.ranks = ranks
        self.network, self.probes, self.settings = network, probes, settings
        self.schedule, self.run, self.log = schedule, run, log
        self.layers = choose_layers(len(network.blocks))
        self.base_NV: Tensor | None = None
        """What the model of step 0 predicts, once it was read."""

    def write_clouds(self, step: int) -> Cloud:
        """Write the clouds; returns the states at the prompts' last tokens, (N, D)."""
        clouds, last_states = self.read_clouds()
        beside = []
        if step in self.schedule.floor_steps:
            divide = self.ranks.compute_passes
            reference = capture_reference(self.network, self.layers, self.probes, self.settings, divide)
            self._write(self.run.floor_clouds(step), reference, step)
            beside.append(self.run.floor_clouds(step).name)
        self._write(self.run.clouds(step), clouds, step, beside)
        return last_states

    def _write(self, path: Path, clouds: dict[str, Cloud], step: int, beside: Sequence[str] = ()) -> None:
        if self.ranks.leads:
            write_clouds(path, clouds, step=step, probe_hash=self.probes.hash, beside=beside)

    def read_clouds(self) -> tuple[dict[str, Cloud], Cloud]:
        """Clouds by layer, and the states at the prompts' last tokens, (N, D)."""
        return capture_probes(self.network, self.layers, self.probes, self.settings, self.ranks.compute_passes)

    def read_last_states(self) -> Cloud:
        """The states at the prompts' last tokens alone, (N, D)."""
        return capture_probes(self.network, [], self.probes, self.settings, self.ranks.compute_passes)[1]

    def compare_to_base(self, last_states: Cloud, step: int, *, evaluate: bool) -> None:
        """Keep what the model of step 0 predicts; with `evaluate`, log how far this one's predictions are from it."""
        if not self.ranks.leads:
            for _ in range(self.ranks.sharded * ((step == 0) + evaluate)):
                next_token_logprobs(self.network.causal, last_states)  # the leader's passes take part of all weights
            return
        if step == 0:
            write_base_logprobs(self.run.base(), self.network.causal, last_states, self.probes.hash)
        if evaluate:
            if self.base_NV is None:
                self.base_NV = read_base_logprobs(self.run.base())
            self.log({"behavior/kl_to_base": kl_to_base(self.base_NV, self.network.causal, last_states)}, step)
