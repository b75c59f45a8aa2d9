"""The arithmetic that probes are read in: finer than the movement that it is to show, whatever training computes in.

bfloat16 is not: on a real model of 135 million parameters it made velocities 2 to 5 times too high, with a course that
had nothing to do with that in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel

Arithmetic = Literal["tf32", "float32", "bfloat16"]
"""`float32`: float32 activations over the model's own weights. `tf32`: the same with TF32 products. `bfloat16`: as
mixed-precision training computes."""

COARSE = (torch.bfloat16, torch.float16)


def has_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def choose_arithmetic(precision: str, device: torch.device) -> Arithmetic:
    """What `probe.precision` stands for on a device.

    Raises:
        ValueError: if the device cannot do it.
    """
    if precision == "auto":
        return "tf32" if has_tf32(device) else "float32"
    if precision == "tf32" and not has_tf32(device):
        raise ValueError("this device has no TF32 products; use auto or float32")
    if precision in ("tf32", "float32", "bfloat16"):
        return precision  # type: ignore[return-value]
    raise ValueError("use auto, tf32, float32 or bfloat16")


@contextmanager
def computing_in(arithmetic: Arithmetic, trunk: nn.Module, blocks: Iterable[nn.Module]) -> Iterator[None]:
    """Forward passes of the trunk in this arithmetic while the context lasts; weights and settings are restored.

    Weights that are coarser than float32 are upcast, which rounds nothing: those of a block while it computes, so that
    memory grows by one block and not by the model. Of the embedding table only the rows that a batch asks for are.
    """
    device = next(trunk.parameters()).device
    with ExitStack() as stack:
        if arithmetic == "bfloat16":
            stack.enter_context(torch.autocast(device.type, dtype=torch.bfloat16))
        else:
            stack.enter_context(torch.autocast(device.type, enabled=False))
            stack.enter_context(_matmul_precision("high" if arithmetic == "tf32" else "highest"))
            stack.enter_context(_float32_activations(trunk, list(blocks)))
        yield


@contextmanager
def _matmul_precision(precision: str) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def _float32_activations(trunk: nn.Module, blocks: list[nn.Module]) -> Iterator[None]:
    in_blocks = {part for block in blocks for part in block.modules()}
    outside = [part for part in trunk.modules() if part not in in_blocks]
    tokens = trunk.get_input_embeddings() if isinstance(trunk, PreTrainedModel) else None
    tables = [tokens] if isinstance(tokens, nn.Embedding) and tokens.weight.dtype in COARSE else []
    undo = _upcast([part for part in outside if part not in tables])  # norms, positions: less than a block
    handles = [handle for block in blocks for handle in _upcast_while_computing(block)]
    handles += [handle for table in tables for handle in _upcast_rows(table)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        undo()


def _upcast_rows(table: nn.Embedding) -> list[RemovableHandle]:
    """While the table is looked up it holds only the rows asked for, in float32: what scales them computes so, too."""
    undo: list[Callable[[], None]] = []

    def before(module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        slots: dict[str, Any] = table._parameters
        weight, padding = table.weight, table.padding_idx
        rows, places = torch.unique(args[0], return_inverse=True)
        slots["weight"] = weight[rows].detach().float()
        table.padding_idx = None  # of no effect in a lookup, but it may lie beyond the rows

        def restore() -> None:
            slots["weight"], table.padding_idx = weight, padding

        undo.append(restore)
        return (places, *args[1:])

    def after(module: nn.Module, args: object, output: object) -> None:
        undo.pop()()

    return [table.register_forward_pre_hook(before), table.register_forward_hook(after, always_call=True)]


def _upcast_while_computing(block: nn.Module) -> list[RemovableHandle]:
    undo: list[Callable[[], None]] = []

    def before(module: nn.Module, args: object) -> None:
        undo.append(_upcast(list(block.modules())))

    def after(module: nn.Module, args: object, output: object) -> None:
        undo.pop()()

    # Around the block alone, within the hooks that bring together the weights of a block that is divided.
    return [
        block.register_forward_pre_hook(before),
        block.register_forward_hook(after, always_call=True, prepend=True),
    ]


def _upcast(modules: list[nn.Module]) -> Callable[[], None]:
    """Put float32 copies of coarse parameters and buffers in their place; returns what puts the originals back."""
    changed: list[tuple[dict[str, Any], str, torch.Tensor]] = []
    for part in modules:
        slots: dict[str, Any]
        for slots in (part._parameters, part._buffers):
            changed += [(slots, n, x) for n, x in slots.items() if x is not None and x.dtype in COARSE]
    for slots, name, tensor in changed:
        slots[name] = tensor.detach().float()

    def undo() -> None:
        for slots, name, tensor in changed:
            slots[name] = tensor

    return undo
