"""The processes that train one model together: what each does, and what they tell each other.

The first of them, the leader, writes files, measures and logs; the others compute their share and hand it on. With one
process everything here is what it is without.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from ..clouds.passes import Pass, compute_all
from ..system.placement import Placement

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    placement: Placement = field(default_factory=Placement)
    nodes: int = 1
    seed: int = 0
    """Of the run."""
    sharded: bool = False
    """Whether each holds only a part of the frozen weights, so that every forward pass takes all of them."""
    control: Any = None
    """The group that numbers and objects of the CPU pass through."""

    @property
    def leads(self) -> bool:
        return self.placement.leads

    @property
    def world(self) -> int:
        return self.placement.world

    def compute_passes(self, count: int, one: Pass) -> list[list[Tensor]]:
        """What all passes give, in their order, at every process; each makes every `world`-th of them.

        All make equally many, so that a strategy which divides the weights finds everybody there: where none is left, a
        process makes the last one again.
        """
        if self.world == 1:
            return compute_all(count, one)
        rounds = -(-count // self.world)
        mine = [one(min(n * self.world + self.placement.rank, count - 1)) for n in range(rounds)]
        arrays = [[tensor.cpu() for tensor in tensors] for tensors in mine]
        if torch.cuda.is_available():
            torch.cuda.synchronize()  # copies to the CPU may be on their way
        by_rank = self.gather([[tensor.numpy() for tensor in tensors] for tensors in arrays])
        ordered = [by_rank[n % self.world][n // self.world] for n in range(count)]
        return [[torch.from_numpy(array) for array in arrays] for arrays in ordered]

    def gather(self, mine: T) -> list[T]:
        """What each process has, by its number, at every process."""
        if self.world == 1:
            return [mine]
        found: list[Any] = [None] * self.world
        dist.all_gather_object(found, mine, group=self.control)
        return found

    def from_leader(self, compute: Callable[[], T]) -> T:
        """What the leader computes, at every process."""
        if self.world == 1:
            return compute()
        found: list[Any] = [compute() if self.leads else None]
        dist.broadcast_object_list(found, src=0, group=self.control)
        result: T = found[0]
        return result

    def part(self) -> None:
        """The last thing that all do together: nobody ends while a message of it is on its way to another.

        Once the first has come through, the others may find it gone.
        """
        if self.world > 1:
            with suppress(RuntimeError):
                dist.barrier(group=self.control)

    def mean(self, value: Tensor) -> Tensor:
        """The mean over the processes, of a value on the device of training; nobody waits for it."""
        if self.world > 1:
            value = value.clone()
            dist.all_reduce(value)
            value /= self.world
        return value

    def agree_on_signal(self, signum: int | None) -> int | None:
        """The signal that any of the processes has received, so that all leave after the same step."""
        if self.world == 1:
            return signum
        highest = torch.tensor(signum or 0)
        dist.all_reduce(highest, dist.ReduceOp.MAX, group=self.control)
        return int(highest) or None

    def seed_step(self, step: int) -> None:
        """Draw the dropout of each step, at each process, from a stream of its own that needs no saving."""
        if self.world > 1:
            # The hash of numbers is the same in every process.
            torch.manual_seed(hash((self.seed, step, self.placement.rank)) % 2**63)


ALONE = Ranks()
