"""What proves that a network keeps dialogues apart: every way in which it may not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from src.training.check_model import _find_later_tokens, telling_tokens
from src.training.check_packing import describe_rows, try_packing
from src.training.network import Network
from tests.support.networks import make_network

SDPA = "sdpa"


def attention_of(network: Network) -> str:
    return str(network.causal.config._attn_implementation)


def test_a_network_that_keeps_dialogues_apart_is_packed_and_says_so() -> None:
    network = try_packing(make_network("embedded:tiny"))
    assert network.packed
    assert attention_of(network) == "sdpa_by_dialogue"
    assert "free of padding" in describe_rows(network)
    assert "(sdpa)" in describe_rows(network)


def leak(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
    """A state that does not end where a dialogue does, too faint to be seen in bfloat16."""
    return output + 1e-3 * output.roll(1, dims=1)


def fail(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
    raise IndexError("no such row")


def empty(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
    return output * torch.nan


@pytest.mark.parametrize("fault", [leak, fail, empty])
def test_what_leaks_or_fails_is_padded_with_the_attention_it_had(fault: Any) -> None:
    network = make_network("embedded:tiny")
    network.blocks[2].mlp.register_forward_hook(fault)
    tried = try_packing(network)
    assert not tried.packed
    assert attention_of(tried) == SDPA
    assert "steps are padded: attention (sdpa) or state of LlamaForCausalLM" in describe_rows(tried)


def test_positions_that_are_not_taken_note_of_are_seen() -> None:
    network = make_network("embedded:tiny")
    rotary = network.trunk.rotary_emb
    rotary.register_forward_pre_hook(
        lambda module, args, settings: (
            (args[0],), {"position_ids": torch.arange(args[0].shape[1])[None] ** 2 % 97}
        ),
        with_kwargs=True,
    )  # fmt: skip
    assert not try_packing(network).packed


def test_the_check_leaves_network_and_random_numbers_as_they_were() -> None:
    network = make_network("embedded:tiny", dropout=0.5)
    before, state = {n: t.clone() for n, t in network.model.state_dict().items()}, torch.get_rng_state()
    try_packing(network)
    assert network.model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.model.state_dict().items())


def test_unused_tokens_that_are_all_alike_hide_no_leak_and_no_model() -> None:
    network = make_network("embedded:tiny")
    with torch.no_grad():
        network.causal.get_input_embeddings().weight[2:200] = 0
    assert len(set(telling_tokens(network.causal))) > 100
    assert list(_find_later_tokens(network.causal)) == []
    assert try_packing(network).packed
    leaking = make_network("embedded:tiny")
    with torch.no_grad():
        leaking.causal.get_input_embeddings().weight[2:200] = 0
    leaking.blocks[2].mlp.register_forward_hook(leak)
    assert not try_packing(leaking).packed
