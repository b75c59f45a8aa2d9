"""The training step's arithmetic on the embedded model: its loss, its learning rate."""

from __future__ import annotations

import math

import pytest
import torch
import transformers as hf
from torch.nn.functional import cross_entropy

from src.config import TrainerConfig
from src.data.batches import collate
from src.data.rendering import IGNORED, Example
from src.training.module import _scheduler, summed_loss
from tests.support.networks import make_network


def test_the_loss_is_the_models_own() -> None:
    network = make_network("embedded:tiny")
    network.model.eval()
    examples = [Example([5, 6, 7, 8], [IGNORED, IGNORED, 7, 8]), Example([9, 10, 11], [IGNORED, 10, 11])]
    batch = collate(examples, pad=1)
    with torch.inference_mode():
        expected = [network.causal(input_ids=torch.tensor([e.ids]), labels=torch.tensor([e.labels])) for e in examples]
        total = sum(float(out.loss) * e.targets for out, e in zip(expected, examples, strict=True))
        ours = float(summed_loss(network.causal, batch))
    assert math.isclose(ours, total, rel_tol=1e-5)


@pytest.mark.parametrize("name", ["constant", "linear", "cosine"])
def test_warm_up_counts_from_one_and_no_step_has_rate_0(name: str) -> None:
    settings = TrainerConfig(max_steps=20, warmup_steps=4, lr_schedule=name, learning_rate=0.1)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = _scheduler(optimizer, settings)
    rates = []
    for _ in range(20):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert min(rates) > 0
    assert rates[-1] == (0.1 if name == "constant" else min(rates[4:]))


def test_no_warm_up_begins_at_the_peak() -> None:
    settings = TrainerConfig(max_steps=10, warmup_steps=0, lr_schedule="constant", learning_rate=0.1)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    _scheduler(optimizer, settings)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


def test_a_head_that_gives_all_positions_has_the_same_loss() -> None:
    shape = {"d_model": 16, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16}
    causal = hf.TrOCRForCausalLM(hf.TrOCRConfig(vocab_size=64, **shape)).eval()
    batch = collate([Example([5, 6, 7, 8, 9], [IGNORED, IGNORED, 7, 8, IGNORED])], pad=1)
    with torch.inference_mode():
        logits_TV = causal(input_ids=batch["input_ids"]).logits[0]
        expected = cross_entropy(logits_TV[1:3], torch.tensor([7, 8]), reduction="sum")
        assert math.isclose(float(summed_loss(causal, batch)), float(expected), rel_tol=1e-5)
