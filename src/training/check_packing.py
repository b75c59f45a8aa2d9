"""Does the loaded network keep dialogues apart that lie end to end in one row? Seen in its logits, not in its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..clouds.arithmetic import computing_in
from ..clouds.capture import eval_mode
from .loading import silence_transformers
from .network import Network
from .packed_attention import BY_DIALOGUE, attending_within

LEAK, ROUNDING = 1e-5, 1e-3
"""Of logits in float32, relative to their spread: where the same sums are made, and where others are."""


def try_packing(network: Network) -> Network:
    """The network with an attention that can tell dialogues apart, if it proves to; else as it was.

    Three short texts in one row must give the logits that each gives alone, and other texts beside it must change none.
    That is asked in float32, where a leak of a thousandth shows.
    """
    causal = network.causal
    before = causal.config.get_text_config()._attn_implementation
    if before not in BY_DIALOGUE:
        return network
    with silence_transformers():
        try:
            causal.set_attn_implementation(BY_DIALOGUE[before])
            packed = _keeps_apart(network)
        except (MemoryError, torch.OutOfMemoryError):
            raise  # nothing is wrong with the model
        except Exception:  # whatever a family raises of a row that it cannot read: it is padded
            packed = False
        if not packed:
            causal.set_attn_implementation(before)
    return replace(network, packed=packed)


def _keeps_apart(network: Network) -> bool:
    rows = network.causal.get_input_embeddings().weight.shape[0]

    def text(start: int, length: int) -> list[int]:
        return [(start + 3 * n) % rows for n in range(length)]

    first, middle, last = text(5, 9), text(11, 13), text(17, 5)
    with torch.inference_mode(), eval_mode(network.causal), computing_in("float32", network.causal, network.blocks):
        alone = torch.cat([_logits(network, [part]) for part in (first, middle, last)])
        together = _logits(network, [first, middle, last])
        others = _logits(network, [text(29, 9), middle, text(31, 5)])
    spread = float(alone.std()) or 1.0
    inside = slice(len(first), len(first) + len(middle))
    leak = float((together - others)[inside].abs().max()) / spread
    change = float((together - alone).abs().max()) / spread
    return leak <= LEAK and change <= ROUNDING  # a NaN is neither


def _logits(network: Network, texts: Sequence[Sequence[int]]) -> Tensor:
    """float32 (T, V) of texts in one row."""
    device = next(network.causal.parameters()).device
    ids = torch.tensor([[token for text in texts for token in text]], device=device)
    positions = torch.tensor([[n for text in texts for n in range(len(text))]], device=device)
    ends = torch.tensor([len(text) for text in texts]).cumsum(0).tolist()
    spans = list(zip([0, *ends[:-1]], ends, strict=True))
    with attending_within(spans):
        output = network.causal(input_ids=ids, position_ids=positions, use_cache=False)
    return torch.as_tensor(output.logits[0]).float()


def describe_rows(network: Network) -> str:
    """How dialogues lie in a step and what attends, in one line."""
    attention = str(network.causal.config.get_text_config()._attn_implementation)
    if network.packed:
        kernel = next(name for name, packed in BY_DIALOGUE.items() if packed == attention)
        return f"steps are free of padding: dialogues lie end to end in one row, attention ({kernel}) within each"
    return (
        f"steps are padded: attention ({attention}) or state of {type(network.causal).__name__} does not keep apart "
        "dialogues that lie in one row"
    )
