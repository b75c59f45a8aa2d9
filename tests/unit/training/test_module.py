"""The learning rate of a training step."""

from __future__ import annotations

import pytest
import torch

from src.config import TrainerConfig
from src.training.module import _scheduler


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
