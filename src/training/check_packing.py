"""Does the loaded network keep dialogues apart that lie end to end in one row? Seen in its logits, not in its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ..clouds.arithmetic import computing_in
from ..clouds.capture import eval_mode
from .check_model import telling_tokens
from .loading import silence_transformers
from .network import Network
from .packed_attention import BY_DIALOGUE, attending_within

LEAK, ROUNDING = 1e-5, 1e-3
"""Of logits in float32, relative to their spread: where the same sums are made, and where others are."""


def try_packing(network: Network) -> Network:
    """The network with an attention that can tell dialogues apart, if it proves to; else as it was.

    Three short texts in one row must give the logits that each gives alone in the model as it came, and other texts
    beside one must change none of its own.
    That is asked in float32, where a leak of a thousandth shows.
    """
    causal = network.causal
    before = causal.config.get_text_config()._attn_implementation
    if before not in BY_DIALOGUE or _counts_in_the_row(causal):
        return network
    with silence_transformers():
        try:
            alone = _each_alone(network)
            causal.set_attn_implementation(BY_DIALOGUE[before])
            # Some families cannot be given another attention; that is warned of, not raised.
            taken = causal.config.get_text_config()._attn_implementation == BY_DIALOGUE[before]
            packed = taken and _keeps_apart(network, alone)
        except (MemoryError, torch.OutOfMemoryError):
            raise  # nothing is wrong with the model
        except Exception:  # whatever a family raises of a row that it cannot read: it is padded
            packed = False
        if not packed:
            causal.set_attn_implementation(before)
    return replace(network, packed=packed)


def _counts_in_the_row(causal: PreTrainedModel) -> bool:
    """Whether queries are scaled by their place in the row, which short texts do not show (Llama 4)."""
    return bool(getattr(causal.config.get_text_config(), "attn_temperature_tuning", False))


def _text(network: Network, start: int, length: int) -> list[int]:
    tokens = telling_tokens(network.causal)
    return [tokens[(start + 3 * n) % len(tokens)] for n in range(length)]


def _texts(network: Network) -> list[list[int]]:
    return [_text(network, start, length) for start, length in ((5, 9), (11, 13), (17, 5))]


def _each_alone(network: Network) -> Tensor:
    """The logits of each text in a pass of its own, by the attention that the model came with."""
    with torch.inference_mode(), eval_mode(network.causal), computing_in("float32", network.causal, network.blocks):
        passes = [network.causal(input_ids=_row(network, [text]), use_cache=False) for text in _texts(network)]
    return torch.cat([torch.as_tensor(output.logits[0]).float() for output in passes])


def _keeps_apart(network: Network, alone: Tensor) -> bool:
    first, middle, last = _texts(network)
    with torch.inference_mode(), eval_mode(network.causal), computing_in("float32", network.causal, network.blocks):
        together = _logits(network, [first, middle, last])
        others = _logits(network, [_text(network, 29, 9), middle, _text(network, 31, 5)])
    spread = float(alone.std()) or 1.0
    inside = slice(len(first), len(first) + len(middle))
    leak = float((together - others)[inside].abs().max()) / spread
    change = float((together - alone).abs().max()) / spread
    return leak <= LEAK and change <= ROUNDING  # a NaN is neither


def _logits(network: Network, texts: Sequence[Sequence[int]]) -> Tensor:
    """float32 (T, V) of texts in one row."""
    ids = _row(network, texts)
    positions = torch.tensor([[n for text in texts for n in range(len(text))]], device=ids.device)
    ends = torch.tensor([len(text) for text in texts]).cumsum(0).tolist()
    spans = list(zip([0, *ends[:-1]], ends, strict=True))
    with attending_within(spans):
        output = network.causal(input_ids=ids, position_ids=positions, use_cache=False)
    return torch.as_tensor(output.logits[0]).float()


def _row(network: Network, texts: Sequence[Sequence[int]]) -> Tensor:
    """(1, T) their tokens, end to end."""
    return torch.tensor(
        [[token for text in texts for token in text]], device=next(network.causal.parameters()).device
    )  # fmt: skip


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
