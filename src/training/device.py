"""The devices that torch finds."""

from __future__ import annotations

import torch

from ..system.machine import GIB


def describe_gpus() -> list[str]:
    """Each GPU that can be computed on: its name, its memory, its arithmetic."""
    found = []
    for number in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(number)
        arithmetic = "bfloat16" if torch.cuda.is_bf16_supported() else "no bfloat16"
        found.append(f"{device.name}, {device.total_memory / GIB:.0f} GiB, {arithmetic}")
    return found


def is_cpu_build() -> bool:
    """Whether torch was built without any support of GPUs."""
    return torch.version.cuda is None and torch.version.hip is None
