"""The forward passes of a measurement, which several processes may divide among them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Pass = Callable[[int], list[Tensor]]
"""What the forward pass of a number gives."""

Divide = Callable[[int, Pass], list[list[Tensor]]]
"""Takes how many passes there are, and one of them; returns what all of them give, in their order."""


def compute_all(count: int, one: Pass) -> list[list[Tensor]]:
    """All passes, one after the other, where a process is alone."""
    return [one(number) for number in range(count)]
