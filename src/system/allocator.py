"""How torch takes memory from a GPU."""

from __future__ import annotations

from collections.abc import MutableMapping

SETTINGS = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
"""How torch's allocator is told; the second is the later name."""


def let_segments_grow(environment: MutableMapping[str, str]) -> None:
    """Let segments of GPU memory grow, unless the user says otherwise: steps differ in length, and pieces do not fit.

    Args:
        environment: of this process; torch reads it before it first uses a GPU.
    """
    if not any(name in environment for name in SETTINGS):
        environment[SETTINGS[0]] = "expandable_segments:True"
