"""Trainings that several processes share: the first one reads the model, the others wait for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed as dist

logger = logging.getLogger(__name__)


def _count() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_main_process() -> bool:
    return _count() == 1 or dist.get_rank() == 0


@contextmanager
def others_waiting(is_due: bool) -> Iterator[None]:
    """All processes leave the block together, where something is due in it."""
    try:
        yield
    finally:
        if is_due and _count() > 1:
            dist.barrier()


def agree(decided: bool) -> bool:
    """What the main process decided, in all of them."""
    if _count() == 1:
        return decided
    known = [decided]
    dist.broadcast_object_list(known, src=0)
    return known[0]


def describe_waiting() -> str:
    """What several processes do at a capture; empty of one."""
    return "" if _count() == 1 else f"process 0 captures, the other {_count() - 1} wait for it meanwhile"
