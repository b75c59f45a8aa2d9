"""What a model does at a checkpoint: its loss on held-out replies, which ones it prefers, how far it is from its base.

Shapes: B dialogues of a forward pass, K positions of it that have a label, V vocabulary, N probes, D width, R rows that
go through the head at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div
from transformers import PreTrainedModel

from ..clouds.capture import Cloud, eval_mode
from ..clouds.store import read_cloud, write_clouds
from ..data.batches import Batch
from ..data.held_out import HeldOut
from ..data.labels import IGNORED
from .module import labelled_logits

ROWS = 128
"""R: at a vocabulary of 128,256, 66 MB of float32 a tensor."""
BASE = "log_probabilities"
"""What they are called in their file."""


@torch.inference_mode()
def evaluate_replies(causal: PreTrainedModel, held_out: HeldOut) -> dict[str, float]:
    """Held-out loss and preference accuracy of one source, the chosen replies passing through the model once for both.

    Returns:
        `eval_loss`, nats per labelled token; where there are pairs, `preference_accuracy`, the share of them whose
        chosen reply has the higher log-probability, a tie counting half, and `preference_accuracy_per_token`, the same
        of the mean over the reply's tokens, which does not favour short replies.
    """
    with eval_mode(causal):
        loss, chosen_N2 = _score(causal, held_out.chosen)
        values = {"eval_loss": loss}
        if held_out.pairs:
            _, rejected_N2 = _score(causal, held_out.rejected)
            first, second = (list(rows) for rows in zip(*held_out.pairs, strict=True))
            # NumPy's sign keeps a NaN, so that a model that broke has no accuracy; torch's would call it a tie.
            plain, per_token = (np.sign((chosen_N2[first] - rejected_N2[second]).numpy()) + 1).mean(0) / 2
            values |= {"preference_accuracy": float(plain), "preference_accuracy_per_token": float(per_token)}
    return values


def _score(causal: PreTrainedModel, batches: Iterable[Batch]) -> tuple[float, Tensor]:
    """Mean loss per labelled token, and of each row's reply the log-probability, summed and per token: (rows, 2)."""
    device = next(causal.parameters()).device
    loss, count, rows = 0.0, 0, []
    for given in batches:
        batch = {name: tensor.to(device) for name, tensor in given.items()}
        logits_BKV, positions_K = labelled_logits(causal, batch)
        labels_BK, reply_BK = (batch[name][:, 1:][:, positions_K] for name in ("labels", "reply"))
        losses = cross_entropy(logits_BKV.flatten(0, 1), labels_BK.flatten(), ignore_index=IGNORED, reduction="none")
        losses_BK = losses.view_as(labels_BK)
        loss += float(losses.sum())
        count += int((labels_BK != IGNORED).sum())
        in_reply_BK = reply_BK != IGNORED
        summed_B = -(losses_BK * in_reply_BK).sum(1)
        rows.append(torch.stack([summed_B, summed_B / in_reply_BK.sum(1)], dim=1).cpu())
    return loss / count, torch.cat(rows)


def write_base_logprobs(path: Path, causal: PreTrainedModel, last_states: Cloud, probe_hash: str) -> None:
    """Keep what the model of step 0 gives as next token, log-probabilities in float32 (N, V).

    It is the base, with the adapter that training goes on from where there is one.

    4 bytes x N x V on disk, and in memory while they are read: 131 MB for 256 probes and a vocabulary of 128,256. With
    every weight trained there is no base left to ask, and a second model would be larger.

    Args:
        ends: (N, D) states of the untrained model at the probes' last tokens, after the final norm.
    """
    parts = [_next_token(causal, last_states[start : start + ROWS]).cpu() for start in range(0, len(last_states), ROWS)]
    write_clouds(path, {BASE: torch.cat(parts).numpy()}, step=0, probe_hash=probe_hash)


def kl_to_base(path: Path, causal: PreTrainedModel, last_states: Cloud) -> float:
    """KL(model || base) of the next token after each probe, nats, mean over the probes.

    At the probe position alone, where the clouds are taken: its states are there already, and what is left is one
    product with the head.

    Args:
        path: what `write_base_logprobs` wrote.
        ends: (N, D) states at the probes' last tokens, after the final norm.

    Raises:
        DamagedError: if the file is not what was written.
    """
    base_NV, total = torch.from_numpy(read_cloud(path, BASE)), 0.0
    for start in range(0, len(last_states), ROWS):
        now_RV = _next_token(causal, last_states[start : start + ROWS])
        base_RV = base_NV[start : start + ROWS].to(now_RV.device)
        total += float(kl_div(base_RV, now_RV, reduction="sum", log_target=True))
    return total / len(last_states)


@torch.inference_mode()
def _next_token(causal: PreTrainedModel, last_states: Cloud) -> Tensor:
    """Log-probabilities in float32, (R, V), of the next token from (R, D) states."""
    head = causal.get_output_embeddings()
    weights = next(head.parameters())
    states_1RD = torch.from_numpy(last_states[None]).to(weights.device, weights.dtype)
    # A pass of one token whose state is exchanged before the head: some models cap or scale what the head gives.
    handle = head.register_forward_pre_hook(lambda module, args: (states_1RD,))
    try:
        with eval_mode(causal):
            token = torch.zeros((1, 1), dtype=torch.long, device=weights.device)
            logits_1RV = causal(input_ids=token, use_cache=False).logits
    finally:
        handle.remove()
    return logits_1RV[0].float().log_softmax(-1)
