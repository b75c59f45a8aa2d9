"""Attention over dialogues that lie end to end in one row: each by itself, with the kernel that transformers has.

A mask over the whole row would be right as well, but all that it hides is computed: of eight dialogues of like length
seven eighths. Masks are made from what the model asks of its mask (a sliding window, say), dialogue by dialogue.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import causal_mask_function, eager_mask, sdpa_mask

from ..data.batches import Span

_spans: ContextVar[tuple[Span, ...] | None] = ContextVar("spans", default=None)


@dataclass(frozen=True)
class DialogueMasks:
    """In the place of one mask: where each dialogue lies, and its mask, None where it is plainly causal."""

    spans: tuple[Span, ...]
    masks: tuple[Tensor | None, ...]


@contextmanager
def attending_within(spans: Sequence[Span]) -> Iterator[None]:
    """In passes that begin inside, each of these spans of their one row attends to itself alone.

    So it is if the model has an attention of `BY_DIALOGUE`.
    """
    token = _spans.set(tuple(spans))
    try:
        yield
    finally:
        _spans.reset(token)


def _make_masks(
    make: Callable[..., Tensor | None], skips_causal: bool, batch_size: int, q_length: int, kv_length: int,
    mask_function: Callable[..., Any] = causal_mask_function, local_size: int | None = None, use_vmap: bool = False,
    **settings: Any,
) -> DialogueMasks | Tensor | None:  # fmt: skip
    spans = _spans.get()
    make = partial(make, batch_size=batch_size, mask_function=mask_function, use_vmap=use_vmap)
    if spans is None:
        return make(q_length=q_length, kv_length=kv_length, local_size=local_size, **settings)

    def mask_of(start: int, stop: int) -> Tensor | None:
        length = stop - start
        if skips_causal and not use_vmap and (local_size is None or length <= local_size):
            return None  # the kernel's own causal mask
        placed = settings | {"q_offset": start, "kv_offset": start, "allow_is_causal_skip": False}
        return make(q_length=length, kv_length=length, **placed)

    return DialogueMasks(spans, tuple(mask_of(*span) for span in spans))


def _attend(
    kernel_of: Callable[[torch.nn.Module], Callable[..., tuple[Tensor, Any]]], module: torch.nn.Module, query: Tensor,
    key: Tensor, value: Tensor, attention_mask: Any, **settings: Any,
) -> tuple[Tensor, Any]:  # fmt: skip
    kernel = kernel_of(module)
    if not isinstance(attention_mask, DialogueMasks):
        return kernel(module, query, key, value, attention_mask, **settings)
    # Split, not sliced: the gradient of a slice is a tensor of the whole row.
    lengths = [stop - start for start, stop in attention_mask.spans]
    cut = zip(*(torch.split(states, lengths, dim=2) for states in (query, key, value)), strict=True)
    parts = [kernel(module, *part, mask, **settings)[0] for part, mask in zip(cut, attention_mask.masks, strict=True)]
    return torch.cat(parts, dim=1), None


def _own_kernel(module: torch.nn.Module) -> Callable[..., tuple[Tensor, Any]]:
    """The attention that a family defines itself, for what the common kernel lacks (capped scores, sinks)."""
    kernel: Callable[..., tuple[Tensor, Any]] = vars(sys.modules[type(module).__module__])["eager_attention_forward"]
    return kernel


def _is_no_padding(record: logging.LogRecord) -> bool:
    """Packed rows have no mask on purpose; transformers takes an end of text at the end of the row for padding."""
    return "since your input_ids may be padded" not in record.getMessage()


logging.getLogger("transformers.modeling_utils").addFilter(_is_no_padding)

BY_DIALOGUE = {"sdpa": "sdpa_by_dialogue", "eager": "eager_by_dialogue"}
"""What stands for an attention of transformers: the same, dialogue by dialogue in `attending_within`."""

AttentionInterface.register(BY_DIALOGUE["sdpa"], partial(_attend, lambda module: sdpa_attention_forward))
AttentionInterface.register(BY_DIALOGUE["eager"], partial(_attend, _own_kernel))
AttentionMaskInterface.register(BY_DIALOGUE["sdpa"], partial(_make_masks, sdpa_mask, True))
AttentionMaskInterface.register(BY_DIALOGUE["eager"], partial(_make_masks, eager_mask, False))
