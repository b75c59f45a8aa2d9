"""The devices that torch finds."""

from __future__ import annotations

import torch

from ..system.machine import GIB, free_memory_gb


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
