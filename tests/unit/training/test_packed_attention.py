"""Dialogues in one row against each of them alone, where the model itself asks for a mask of its own."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, MistralConfig, PreTrainedConfig

from src.training.check_packing import try_packing
from src.training.network import Network
from src.training.packed_attention import attending_within
from tests.support.families import OWN_WIDTH, SHARED_HEADS

LENGTHS = (30, 7, 45)


@pytest.mark.parametrize(
    "config",
    [MistralConfig(**SHARED_HEADS, sliding_window=6), Gemma2Config(**OWN_WIDTH, sliding_window=6)],
    ids=["sdpa", "eager"],
)
def test_a_window_slides_within_each_dialogue(config: PreTrainedConfig) -> None:
    torch.manual_seed(0)
    causal = AutoModelForCausalLM.from_config(config).eval()
    texts = [torch.randint(5, 1000, (1, length)) for length in LENGTHS]
    ends = torch.tensor(LENGTHS).cumsum(0).tolist()
    with torch.inference_mode():
        alone = torch.cat([causal(input_ids=text, use_cache=False).logits[0] for text in texts])
        assert try_packing(Network(causal, causal)).packed
        with attending_within(list(zip([0, *ends[:-1]], ends, strict=True))):
            together = causal(
                input_ids=torch.cat(texts, dim=1), position_ids=torch.cat([torch.arange(n) for n in LENGTHS])[None],
                use_cache=False,
            ).logits[0]  # fmt: skip
        padded = causal(input_ids=texts[0], use_cache=False).logits[0]
    assert torch.allclose(together, alone, atol=1e-4)
    assert torch.equal(padded, alone[: LENGTHS[0]]), "elsewhere the attention is what it was"
