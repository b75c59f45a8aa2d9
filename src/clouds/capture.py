"""Probe activations of every chosen block, read as each block's output passes.

No logits are computed and no sequence-length tensor is kept past its block. Shapes: B prompts of a batch, T tokens,
D width, N probes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from .arithmetic import Arithmetic, computing_in
from .layers import layer_name
from .passes import Divide, compute_all

Cloud = np.ndarray
"""float32 (N, D)"""


def find_blocks(trunk: nn.Module, count: int) -> nn.ModuleList:
    """The transformer blocks of a trunk: its first list of as many modules as the configuration has layers.

    Raises:
        ValueError: if there is none.
    """
    for module in trunk.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise ValueError(f"{type(trunk).__name__} has no list of {count} blocks")


@torch.no_grad()  # inference mode would spoil what weights that are divided are brought together in
def capture_clouds(
    trunk: nn.Module, blocks: nn.ModuleList, layers: Sequence[int], prompts: Sequence[Sequence[int]], *, pooling: str,
    batch_size: int, arithmetic: Arithmetic = "float32", divide: Divide = compute_all,
) -> tuple[dict[str, Cloud], Cloud]:  # fmt: skip
    """One cloud per layer: the residual stream after block `l`, the last one after the final norm.

    Args:
        trunk: the model without its head; returns `last_hidden_state`.
        blocks: its transformer blocks.
        layers: block numbers from 1; 0, the embedding output, only with mean pooling.
        prompts: tokens of the N probes.
        pooling: `last`, the last prompt token; `mean`, the mean over the prompt's tokens.
        batch_size: prompts per forward pass.
        arithmetic: of the passes; see `arithmetic.py`.
        divide: whether other processes, with the same weights, make some of the passes.

    Returns:
        float32 (N, D) arrays by layer name, and a float32 (N, D) array of the states that the head makes the next token
        from: at the last prompt token, after the final norm, whatever the pooling. Rows in the order of `prompts`.
    """
    device = next(trunk.parameters()).device
    # Prompts of like length share a batch; the order is by length, then by place, so that it never varies.
    order = sorted(range(len(prompts)), key=lambda n: (len(prompts[n]), n))
    parts = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]

    def capture_part(number: int) -> list[Tensor]:
        ids_BT, mask_BT = _pad([prompts[n] for n in parts[number]], device)
        pool, rows = _pooler(mask_BT, pooling), dict[int, Tensor]()

        def keep(layer: int, out_BTD: Tensor) -> None:
            rows[layer] = pool(out_BTD).float()

        with _hooks(blocks, [layer for layer in layers if 0 < layer < len(blocks)], keep):
            output = trunk(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False)
        if len(blocks) in layers:
            keep(len(blocks), output.last_hidden_state)
        last_BD = _pooler(mask_BT, "last")(output.last_hidden_state).float()
        return _send([*(rows[layer] for layer in layers), last_BD])

    with eval_mode(trunk), computing_in(arithmetic, trunk, blocks):
        passes = divide(len(parts), capture_part)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    back = np.argsort(order)
    *clouds, last_states = (torch.cat(parts).numpy()[back] for parts in zip(*passes, strict=True))
    return dict(zip(map(layer_name, layers), clouds, strict=True)), last_states


def _send(rows: Sequence[Tensor]) -> list[Tensor]:
    """The (B, D) rows of a pass, of whatever widths, on the CPU: gathered on the device and copied once.

    From a GPU they are only on their way: it computes the next pass meanwhile, nobody waits for it.
    """
    gathered = torch.cat(list(rows), dim=1)
    if gathered.is_cuda:
        host = torch.empty(gathered.shape, pin_memory=True)
        gathered = host.copy_(gathered, non_blocking=True)
    return list(torch.split(gathered, [row.shape[1] for row in rows], dim=1))


def _pooler(mask_BT: Tensor, pooling: str) -> Callable[[Tensor], Tensor]:
    """What makes (B, D) rows of a block's (B, T, D) output; what hangs on the mask alone is done once a batch."""
    if pooling == "last":
        last_B = mask_BT.sum(1) - 1
        each_B = torch.arange(len(last_B), device=last_B.device)
        return lambda out_BTD: out_BTD[each_B, last_B]
    # Summed in float32: bfloat16 sums over a long prompt lose its last tokens.
    weights_BT1 = mask_BT.unsqueeze(-1).float()
    return lambda out_BTD: (out_BTD.float() * weights_BT1).sum(1) / weights_BT1.sum(1)


def _pad(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    longest = max(map(len, prompts))
    ids_BT = torch.zeros((len(prompts), longest), dtype=torch.long)
    mask_BT = torch.zeros_like(ids_BT)
    for row, prompt in enumerate(prompts):
        ids_BT[row, : len(prompt)] = torch.tensor(prompt)
        mask_BT[row, : len(prompt)] = 1
    return ids_BT.to(device), mask_BT.to(device)


@contextmanager
def _hooks(blocks: nn.ModuleList, layers: Sequence[int], keep: Callable[[int, Tensor], None]) -> Iterator[None]:
    def hook_of(layer: int) -> Callable[..., None]:
        def hook(module: nn.Module, args: object, output: Tensor | Sequence[Tensor]) -> None:
            keep(layer, output if isinstance(output, Tensor) else output[0])

        return hook

    handles = [blocks[layer - 1].register_forward_hook(hook_of(layer)) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """Eval mode inside; train mode and random state as they were afterwards."""
    training = {part: part.training for part in module.modules()}
    devices = [module_device] if (module_device := next(module.parameters()).device).type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        module.eval()
        try:
            yield
        finally:
            for part, flag in training.items():
                part.training = flag
