"""The devices that torch finds."""

from __future__ import annotations

import os

import torch

from ..config import Config, RequestError
from ..config.devices import SINGLE, check_division
from ..system.machine import GIB, free_memory_gb, usable_cores
from ..system.placement import Placement


def describe_gpus() -> list[str]:
    """Each GPU that can be computed on: its name, its memory, its arithmetic."""
    found = []
    for number in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(number)
        arithmetic = "bfloat16" if torch.cuda.is_bf16_supported() else "no bfloat16"
        found.append(f"{device.name}, {device.total_memory / GIB:.0f} GiB, {arithmetic}")
    return found


def device_memory(device: torch.device) -> tuple[str, float]:
    """What a device is called, and the bytes of its memory that are free."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device), float(torch.cuda.mem_get_info(device)[0])
    return "this CPU", free_memory_gb() * GIB


def is_cpu_build() -> bool:
    """Whether torch was built without any support of GPUs."""
    return torch.version.cuda is None and torch.version.hip is None


def count_processes(config: Config, placement: Placement) -> int:
    """How many processes train together.

    Raises:
        RequestError: if they would be more than there are devices, or cannot divide a step among them.
    """
    trainer = config.trainer
    if trainer.strategy == SINGLE:
        return 1
    gpus, cores = torch.cuda.device_count(), len(usable_cores())
    here = trainer.devices or (placement.world // trainer.nodes if placement.launcher else gpus)
    if not here:
        raise RequestError(
            f"trainer.strategy={trainer.strategy}: there is no GPU; give trainer.devices=<processes>, which share the "
            f"{cores} cores"
        )
    if gpus and here > gpus:
        raise RequestError(f"trainer.devices={here}: {gpus} GPU(s) are seen; give at most {gpus}{_hint(placement)}")
    if not gpus and not placement.launcher and here > cores:  # those that others start may have cores of their own
        raise RequestError(
            f"trainer.devices={here}: there is no GPU, and {cores} core(s); give at most {cores}{_hint(placement)}"
        )
    check_division(trainer, here * trainer.nodes)
    return here * trainer.nodes


def _hint(placement: Placement) -> str:
    """What may keep a process from seeing all of the machine."""
    if placement.launcher == "srun":
        return "; a job must show all of them to each process (--gpus-per-node)"
    if "CUDA_VISIBLE_DEVICES" in os.environ or len(usable_cores()) < (os.cpu_count() or 1):
        return ", a part of this machine: cells that a launcher runs at once share it, without one each has all"
    return ""
