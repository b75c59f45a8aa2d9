"""What a model does at a checkpoint: its loss on held-out replies, which ones it prefers, how far it is from its base.

Shapes: M labelled tokens of a forward pass, V vocabulary, N texts or probes, P pairs, D width, R rows that go through
the head at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import kl_div
from transformers import PreTrainedModel

from ..clouds.capture import Cloud, eval_mode
from ..clouds.passes import Divide, compute_all
from ..clouds.store import read_cloud, write_clouds
from ..data.batches import Layout
from ..data.held_out import EvaluatedText, HeldOut
from .loss import labelled_logits, token_losses

Array = np.ndarray

ROWS = 128
"""R: at a vocabulary of 128,256, 66 MB of float32 a tensor."""
ROW_TOKENS = 2048
"""Tokens of a packed row of held-out texts, at most, unless one text has more."""
BASE = "log_probabilities"
"""What they are called in their file."""


@torch.no_grad()
def evaluate_replies(
    causal: PreTrainedModel, held_out: Mapping[str, HeldOut], layout: Layout, batch_size: int,
    divide: Divide = compute_all,
) -> dict[str, float]:  # fmt: skip
    """Held-out loss and preference accuracy of each source, all texts sharing the passes.

    Args:
        layout: of a pass, as training has it.
        batch_size: texts in a pass where they are padded.
        divide: whether other processes, with the same weights, make some of the passes.

    Returns:
        By source, its name behind: `eval_loss`, nats per labelled token; where there are pairs, `preference_accuracy`,
        the share of them whose chosen reply has the higher log-probability, a tie counting half, and
        `preference_accuracy_per_token`, the same of the mean over the reply's tokens, which does not favour short
        replies.
    """
    texts = [text for source in held_out.values() for text in (*source.chosen, *source.rejected.values())]
    scores = iter(_score(causal, texts, layout, batch_size, divide))
    values: dict[str, float] = {}
    for name, source in held_out.items():
        chosen_N3 = np.stack([next(scores) for _ in source.chosen])
        tokens = sum(text.example.targets for text in source.chosen)
        values[f"eval_loss_{name}"] = float(chosen_N3[:, 0].sum()) / tokens
        if source.rejected:
            rejected_P3 = np.stack([next(scores) for _ in source.rejected])
            # A NaN stays one: a model that broke has no accuracy, not a tie.
            won_P3 = (np.sign(chosen_N3[list(source.rejected)] - rejected_P3) + 1) / 2
            values[f"preference_accuracy_{name}"] = float(won_P3[:, 1].mean())
            values[f"preference_accuracy_per_token_{name}"] = float(won_P3[:, 2].mean())
    return values


def _score(
    causal: PreTrainedModel, texts: Sequence[EvaluatedText], layout: Layout, batch_size: int, divide: Divide
) -> Array:
    """Of each text its summed loss, and the log-probability of its reply, summed and per token: float64 (N, 3)."""
    device = next(causal.parameters()).device
    order = sorted(range(len(texts)), key=lambda n: len(texts[n].example.ids))
    parts = list(_cut([texts[n] for n in order], layout, batch_size))

    def score_part(number: int) -> list[Tensor]:
        part = parts[number]
        given = layout([text.example for text in part]) | {
            "in_reply": torch.tensor([flag for text in part for flag in text.in_reply])
        }
        batch = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in given.items()}
        losses_M = token_losses(labelled_logits(causal, batch), batch["next"]).double()
        in_reply_M = batch["in_reply"].double()
        each_3M = torch.stack([losses_M, -losses_M * in_reply_M, in_reply_M])
        return [
            torch.zeros((3, len(part)), dtype=torch.double, device=device).index_add_(1, batch["dialogue"], each_3M)
        ]

    with eval_mode(causal):
        found = [scores for (scores,) in divide(len(parts), score_part)]
    loss_N, reply_N, length_N = torch.cat(found, dim=1).cpu().numpy()
    return np.stack([loss_N, reply_N, reply_N / length_N], axis=1)[np.argsort(order)]


def _cut(texts: Sequence[EvaluatedText], layout: Layout, batch_size: int) -> Iterator[list[EvaluatedText]]:
    """Texts in passes: so many where each takes a row, else as many as fit into one."""
    part: list[EvaluatedText] = []
    for text in texts:
        taken = sum(len(other.example.ids) for other in part) + len(text.example.ids)
        if part and (taken > ROW_TOKENS if layout.packed else len(part) == batch_size):
            yield part
            part = []
        part.append(text)
    yield part


def write_base_logprobs(path: Path, causal: PreTrainedModel, last_states: Cloud, probe_hash: str) -> None:
    """Keep what the model of step 0 gives as next token, log-probabilities in float32 (N, V).

    It is the base, with the adapter that training goes on from where there is one.

    4 bytes x N x V on disk, and in memory while they are read: 131 MB for 256 probes and a vocabulary of 128,256. With
    every weight trained there is no base left to ask, and a second model would be larger.

    Args:
        ends: (N, D) states of the untrained model at the probes' last tokens, after the final norm.
    """
    logprobs_NV = next_token_logprobs(causal, last_states)
    write_clouds(path, {BASE: logprobs_NV.numpy()}, step=0, probe_hash=probe_hash)


def next_token_logprobs(causal: PreTrainedModel, last_states: Cloud) -> Tensor:
    """Log-probabilities of the next token after each probe, float32 (N, V), on the CPU."""
    parts = [_next_token(causal, last_states[start : start + ROWS]).cpu() for start in range(0, len(last_states), ROWS)]
    return torch.cat(parts)


def read_base_logprobs(path: Path) -> Tensor:
    """What `write_base_logprobs` wrote, (N, V).

    Raises:
        DamagedError: if the file is not what was written.
    """
    return torch.from_numpy(read_cloud(path, BASE))


def kl_to_base(base_NV: Tensor, causal: PreTrainedModel, last_states: Cloud) -> float:
    """KL(model || base) of the next token after each probe, nats, mean over the probes.

    At the probe position alone, where the clouds are taken: its states are there already, and what is left is one
    product with the head.

    Args:
        base_NV: what the model of step 0 gives.
        last_states: (N, D) states at the probes' last tokens, after the final norm.
    """
    total = 0.0
    for start in range(0, len(last_states), ROWS):
        now_RV = _next_token(causal, last_states[start : start + ROWS])
        base_RV = base_NV[start : start + ROWS].to(now_RV.device)
        total += float(kl_div(base_RV, now_RV, reduction="sum", log_target=True))
    return total / len(last_states)


@torch.no_grad()
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
