"""Cross entropy of the labelled tokens, whose logits alone are made.

Shapes: K positions of a row that logits are made at, M labelled tokens of the batch, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from ..data.batches import Batch
from .packed_attention import attending_within

CHUNK = 2**25
"""Logits that are float32 at a time: 134 MB."""


def labelled_logits(causal: PreTrainedModel, batch: Batch) -> Tensor:
    """What the labelled tokens are predicted by, in the model's own arithmetic, (M, V)."""
    common = {"input_ids": batch["input_ids"], "logits_to_keep": batch["keep"], "use_cache": False}
    if "spans" in batch:
        # Without a mask transformers sees by the positions where dialogues begin.
        with attending_within(batch["spans"]):
            return _kept(causal(position_ids=batch["position_ids"], **common).logits, batch)[0]
    return _kept(causal(attention_mask=batch["attention_mask"], **common).logits, batch).flatten(0, 1)[batch["place"]]


def _kept(logits: Tensor, batch: Batch) -> Tensor:
    """Those at the positions that are kept: some heads know no `logits_to_keep`."""
    return logits if logits.shape[1] == len(batch["keep"]) else logits[:, batch["keep"]]


def token_losses(logits_MV: Tensor, next_M: Tensor) -> Tensor:
    """Nats of each token, float32 (M,). No float32 copy of all logits is made, nor kept for the gradient."""
    rows = max(1, CHUNK // logits_MV.shape[1])
    if len(logits_MV) <= rows:
        return _losses(logits_MV, next_M)
    parts = zip(torch.split(logits_MV, rows), torch.split(next_M, rows), strict=True)
    if not torch.is_grad_enabled():
        return torch.cat([_losses(*part) for part in parts])
    return torch.cat([checkpoint(_losses, *part, use_reentrant=False, preserve_rng_state=False) for part in parts])


def _losses(logits_MV: Tensor, next_M: Tensor) -> Tensor:
    return cross_entropy(logits_MV.float(), next_M, reduction="none")


def summed_loss(causal: PreTrainedModel, batch: Batch) -> Tensor:
    """Cross entropy summed over the labelled tokens."""
    return token_losses(labelled_logits(causal, batch), batch["next"]).sum()
