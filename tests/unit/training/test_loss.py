"""The loss against transformers' own, text by text, however the texts lie in a pass."""

from __future__ import annotations

import math

import pytest
import torch
import transformers as hf
from torch.nn.functional import cross_entropy

from src.data.batches import Layout, collate
from src.data.rendering import IGNORED, Example
from src.training import loss
from src.training.check_packing import try_packing
from src.training.loss import summed_loss
from src.training.network import Network
from tests.support.networks import make_network

EXAMPLES = [
    Example([5, 6, 7, 8], [IGNORED, IGNORED, 7, 8]), Example([9, 10, 11], [IGNORED, 10, 11]),
    Example(list(range(40, 70)), [*[IGNORED] * 12, *range(52, 60), *[IGNORED] * 10]),
]  # fmt: skip
LAYOUTS = [Layout(pad=1), Layout(pad=1, packed=True), Layout(pad=1, packed=True, multiple=64)]


@pytest.fixture(scope="module")
def network() -> Network:
    packed = try_packing(make_network("embedded:tiny", rank=2))
    assert packed.packed
    return packed


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_the_loss_is_the_models_own(layout: Layout, network: Network) -> None:
    with torch.inference_mode():
        alone = [network.causal(input_ids=torch.tensor([e.ids]), labels=torch.tensor([e.labels])) for e in EXAMPLES]
        total = sum(float(out.loss) * e.targets for out, e in zip(alone, EXAMPLES, strict=True))
        assert float(summed_loss(network.causal, layout(EXAMPLES))) == pytest.approx(total, rel=1e-5)


def test_loss_and_gradient_in_chunks_are_those_of_all_logits_at_once(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step() -> tuple[float, list[torch.Tensor]]:
        network.model.zero_grad()
        total = summed_loss(network.causal, LAYOUTS[1](EXAMPLES))
        total.backward()
        trained = [p for p in network.model.parameters() if p.requires_grad]
        return float(total.detach()), [p.grad.clone() for p in trained if p.grad is not None]

    whole, gradients = step()
    monkeypatch.setattr(loss, "CHUNK", 3 * network.causal.config.vocab_size)
    chunked, others = step()
    assert chunked == pytest.approx(whole, rel=1e-6)
    assert len(gradients) == len(others) > 0
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(gradients, others, strict=True))


def test_a_head_that_gives_all_positions_has_the_same_loss() -> None:
    shape = {"d_model": 16, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16}
    causal = hf.TrOCRForCausalLM(hf.TrOCRConfig(vocab_size=64, **shape)).eval()
    batch = collate([Example([5, 6, 7, 8, 9], [IGNORED, IGNORED, 7, 8, IGNORED])], pad=1)
    with torch.inference_mode():
        logits_TV = causal(input_ids=batch["input_ids"]).logits[0]
        expected = cross_entropy(logits_TV[1:3], torch.tensor([7, 8]), reduction="sum")
        assert math.isclose(float(summed_loss(causal, batch)), float(expected), rel_tol=1e-5)
