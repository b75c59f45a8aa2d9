"""How the processes that train together find each other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta

import torch
import torch.distributed as dist
from lightning.pytorch.plugins.environments import SLURMEnvironment
from torch.distributed import Store, TCPStore  # type: ignore[attr-defined]
from torch.distributed.rendezvous import rendezvous

from ..config import Config
from ..config.devices import SHARDED
from ..system.machine import usable_cores
from ..system.placement import Placement
from .ranks import Ranks

PATIENCE = timedelta(days=1)
"""How long a process waits for what another one computes; that one has died is noticed at once, see `tether`."""

ARRIVAL_SECONDS = 600
"""How long the leader waits for the others to start."""

LOOPBACK = "127.0.0.1"

_TIMEOUT = timedelta(seconds=ARRIVAL_SECONDS)


def open_store(processes: int, port: int = 0) -> TCPStore:
    """The leader's store, on this machine alone, for processes that it starts itself; port 0 is any that is free."""
    return TCPStore(LOOPBACK, port, processes, is_master=True, wait_for_workers=False, timeout=_TIMEOUT)


def reach_store(placement: Placement, port: int | None = None) -> Store:
    """The store where a process meets the others.

    Args:
        port: of the leader's `open_store`, in a process that it started.
    """
    if port is not None:
        return TCPStore(LOOPBACK, port, placement.world, is_master=False, timeout=_TIMEOUT)
    if placement.launcher == "torchrun":
        store, _, _ = next(rendezvous("env://", timeout=_TIMEOUT))
        return store
    # One port for each step of a job.
    job, step = (int(os.environ.get(key, 0)) for key in ("SLURM_JOB_ID", "SLURM_STEP_ID"))
    return TCPStore(
        leader_address(placement), 15_000 + (job + 1000 * (step % 10)) % 10_000, placement.world,
        is_master=placement.leads, wait_for_workers=False, timeout=_TIMEOUT,
    )  # fmt: skip


def leader_address(placement: Placement) -> str:
    """The machine that the leader runs on, as the others know it."""
    if placement.launcher == "torchrun":
        return os.environ["MASTER_ADDR"]
    if placement.launcher == "srun":
        return str(SLURMEnvironment.resolve_root_node_address(os.environ["SLURM_STEP_NODELIST"]))
    return LOOPBACK


def connect(store: Store, placement: Placement, config: Config, watch: Callable[[], None] | None = None) -> Ranks:
    """Meet the others at a store.

    Args:
        watch: of the leader, called again and again while it waits; raises if one of the others will not come.

    Raises:
        RuntimeError: if they do not come.
    """
    store.set(f"arrived/{placement.rank}", "")
    if placement.leads:
        _await_arrivals(store, placement.world, watch)
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(placement.local_rank)
    dist.init_process_group(
        "nccl" if on_gpu else "gloo", store=store, rank=placement.rank, world_size=placement.world, timeout=PATIENCE
    )
    control = dist.new_group(backend="gloo", timeout=PATIENCE) if on_gpu else None
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, len(usable_cores()) * config.trainer.nodes // placement.world))
    is_sharded = config.trainer.strategy == SHARDED
    return Ranks(placement, config.trainer.nodes, config.seed, is_sharded, control)


def _await_arrivals(store: Store, processes: int, watch: Callable[[], None] | None) -> None:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    missing = list(range(processes))
    while missing := [rank for rank in missing if not store.check([f"arrived/{rank}"])]:
        if watch is not None:
            watch()
        if time.monotonic() > deadline:
            raise RuntimeError(f"of {processes} processes, {len(missing)} did not start within {ARRIVAL_SECONDS} s")
        time.sleep(0.05)


def disconnect() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
