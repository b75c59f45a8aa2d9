"""Bytes and operations of a computation, counted while it passes over tensors without numbers (`meta`)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


@dataclass(frozen=True)
class Counted:
    peak: int
    """Bytes of what was made, at the moment when most of it was alive."""
    flops: float
    """Multiplications and additions of its matrix products, each for itself."""


def count(compute: Callable[[], Any]) -> Counted:
    """What a computation makes and takes; what was there before does not count."""
    with _Counter() as counter:
        compute()
    return Counted(counter.peak, counter.flops)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up storages as they are made, and takes them off as they are let go; adds up the operations of products.

    The formulas of these are torch's; its own counter keeps alive what is computed once more in a backward pass.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live, self.peak, self.flops = 0, 0, 0.0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:  # fmt: skip
        # Who asks a tensor without numbers for one asks whether positions are plain, a mask is full: they are.
        if func is torch.ops.aten._local_scalar_dense.default:
            return 1
        for tensor in tree_leaves((args, kwargs)):
            if isinstance(tensor, Tensor):  # what was there before: a view of it is nothing new
                self._known.add(tensor.untyped_storage())
        made = func(*args, **(kwargs or {}))
        if (formula := flop_registry.get(func._overloadpacket)) is not None:
            self.flops += float(formula(*args, **(kwargs or {}), out_val=made))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage())
        return made

    def _add(self, storage: torch.UntypedStorage) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._drop, storage.nbytes())

    def _drop(self, size: int) -> None:
        self.live -= size
