"""Random updates of the trained weights: where the probes would have gone, had training moved another way.

The trained tensors are copied at a checkpoint. Where its first pair ends, their real update is known: each draw gives
every tensor a random update of the same norm, captures the probes, and puts back what training had arrived at, bit for
bit. What the clouds of the draws come to is measured later, see `measure/weight_velocities.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..clouds.capture import Cloud
from ..clouds.store import read_clouds, write_clouds
from ..config import TdaConfig
from ..config.schedule import Schedule
from ..geometry import displacement
from ..rundir import RunDirectory
from .network import Network
from .ranks import ALONE, Ranks

Tensors = Mapping[str, Tensor]


class WeightNull:
    """Keeps copies of the trained tensors between the two steps of a pair, and draws where the pair ends."""

    def __init__(
        self, tda: TdaConfig, schedule: Schedule, network: Network, run: RunDirectory, probe_hash: str,
        capture: Callable[[], Mapping[str, Cloud]], ranks: Ranks = ALONE,
    ) -> None:  # fmt: skip
        """
        Args:
            capture: reads the probes' clouds, by layer, with the weights that the network has now.
            ranks: the processes that train together; all of them draw and capture alike, the leader reads and writes.
        """
        self.ranks = ranks
        self.draws, self.wanted, self.schedule, self.run = tda.weight_draws, tda.weight_steps, schedule, run
        self.network, self.probe_hash, self.capture = network, probe_hash, capture
        self.starts: dict[int, Tensors] = {}
        """The trained tensors at the checkpoints whose first pair has not ended."""
        self.highest = 0.0
        """Displacement of the checkpoint that has moved furthest."""

    def state_dict(self) -> dict[str, Any]:
        return {"starts": {step: dict(start) for step, start in self.starts.items()}, "highest": self.highest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.starts = {step: {name: t.cpu() for name, t in start.items()} for step, start in state["starts"].items()}
        self.highest = state["highest"]

    def process_step(self, step: int) -> None:
        """To be called when the clouds of a captured step are on disk; the weights are afterwards as before."""
        if not self.draws:
            return
        for start in [s for s in self.starts if self._end(s) == step]:
            tensors = self.starts.pop(start)
            if self.ranks.from_leader(partial(self._is_chosen, start)):
                self._capture_draws(start, tensors)
        if step in self.schedule.checkpoints and (self.wanted is None or step in self.wanted):
            self.starts[step] = copy_trained(self.network)

    def _end(self, start: int) -> int:
        """Of the first pair of a checkpoint."""
        return self.schedule.pairs(start)[0][1]

    def _is_chosen(self, start: int) -> bool:
        """Whether it was asked for; by default the first, the last, and each that moves further than all before it."""
        if self.wanted is not None:
            return True
        before, after = (read_clouds(self.run.clouds(step)) for step in (start, self._end(start)))
        moved = float(np.mean([displacement(before[layer], after[layer], 1) for layer in before]))
        is_furthest = moved > self.highest
        self.highest = moved if is_furthest else self.highest
        return is_furthest or start in (self.schedule.checkpoints[0], self.schedule.checkpoints[-1])

    def _capture_draws(self, start: int, tensors: Tensors) -> None:
        arrived = copy_trained(self.network)
        lengths = {name: _distance(tensor, arrived[name]) for name, tensor in tensors.items()}
        if not any(lengths.values()):
            return  # nothing to be compared with
        try:
            for draw in range(self.draws):
                assign_trained(self.network, draw_update(tensors, lengths, f"{self.probe_hash} {start} {draw}"))
                clouds = self.capture()
                if self.ranks.leads:
                    write_clouds(self.run.weight_cloud(start, draw), clouds, step=start, probe_hash=self.probe_hash)
            if self.ranks.leads:
                self.run.note_weight_clouds(start, self.draws)
        finally:
            assign_trained(self.network, arrived.items())


def copy_trained(network: Network) -> Tensors:
    """Copies of all trained tensors by their name, on the CPU, so that an accelerator needs no more memory."""
    trained = ((name, tensor) for name, tensor in network.model.named_parameters() if tensor.requires_grad)
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in trained}


def draw_update(start: Tensors, lengths: Mapping[str, float], seed: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of `start`, each moved in a random direction, uniform over all, by its length.

    Args:
        lengths: Frobenius norms of the updates; a tensor of length 0 stays.
        seed: of a generator of its own: the random state of training is not touched.
    """
    generator = torch.Generator().manual_seed(int(hashlib.sha256(seed.encode()).hexdigest()[:15], 16))
    for name, tensor in start.items():
        direction = torch.randn(tensor.shape, generator=generator)
        yield name, tensor + direction * (lengths[name] / float(torch.linalg.vector_norm(direction)))


def _distance(a: Tensor, b: Tensor) -> float:
    return float(torch.linalg.vector_norm(b.double() - a.double()))


@torch.no_grad()
def assign_trained(network: Network, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Give trained tensors these values, in place: the optimizer and its moments know them by what they are."""
    trained = dict(network.model.named_parameters())
    for name, tensor in tensors:
        trained[name].copy_(tensor)
