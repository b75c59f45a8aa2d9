"""Which of the trained weights may get no gradient in a step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from src.config import RequestError
from src.training.check_model import check_sharding
from src.training.strategy import may_be_unused
from tests.support.networks import make_network


def test_a_plain_model_uses_all_that_is_trained_of_it() -> None:
    assert not may_be_unused(make_network("embedded:tiny"))
    assert not may_be_unused(make_network("embedded:tiny", kind="full"))


def test_an_expert_and_a_tower_may_be_unused() -> None:
    network = make_network("embedded:tiny", kind="full")
    network.blocks[0].experts = nn.ModuleList([nn.Linear(2, 2)])
    assert may_be_unused(network)
    network = make_network("embedded:tiny", kind="full")
    network.causal.tower = nn.Linear(2, 2)
    assert may_be_unused(network)
    network.causal.tower.requires_grad_(False)
    assert not may_be_unused(network)


def test_a_quantized_base_is_not_divided() -> None:
    network = make_network("embedded:tiny")
    check_sharding("m", network)
    layer = network.blocks[1].mlp.up_proj.base_layer
    layer.weight = nn.Parameter(torch.zeros(layer.weight.shape, dtype=torch.int8), requires_grad=False)
    with pytest.raises(RequestError, match=r"cannot divide 1\.mlp\.up_proj\.base_layer\.weight of model\.path=m"):
        check_sharding("m", network)
