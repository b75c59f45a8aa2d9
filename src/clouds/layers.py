"""Which blocks become clouds, and what their layers are called."""

from __future__ import annotations


def choose_layers(blocks: int) -> list[int]:
    """Block numbers from 1: all up to 12, else 9 evenly spaced with the first and the last."""
    if blocks <= 12:
        return list(range(1, blocks + 1))
    return sorted({round(1 + n * (blocks - 1) / 8) for n in range(9)})


def layer_name(number: int) -> str:
    return f"layer_{number:02d}"
