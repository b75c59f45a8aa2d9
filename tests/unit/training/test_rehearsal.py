"""Families that nothing can be done with are refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers as hf
from transformers import AutoModelForCausalLM, PreTrainedConfig

from src.config import RequestError
from src.training.network import Network
from src.training.rehearsal import rehearse
from tests.support.families import OWN_WIDTH, make_family
from tests.support.networks import make_adapter, make_network

HALVES = {"decoder_layers": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "d_model": 16, "vocab_size": 64}


def save(config: PreTrainedConfig, folder: Path) -> str:
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return str(folder)


def test_a_sound_model_is_as_it_was(tmp_path: Path) -> None:
    network = make_network(str(make_family("llama", tmp_path)), dropout=0.5)
    network.causal.train()
    before, state = torch.get_rng_state(), {n: t.clone() for n, t in network.model.state_dict().items()}
    rehearse("here", network, make_adapter())
    assert torch.equal(torch.get_rng_state(), before)
    assert network.causal.training
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.model.state_dict().items())
    assert not any(part._forward_hooks for part in network.causal.modules())


def test_adapters_beside_layers_that_are_never_used_are_refused_with_those_that_are(tmp_path: Path) -> None:
    """The decoder of a model of two halves looks at an encoder that is not there."""
    path = save(hf.BartConfig(**HALVES, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=16), tmp_path)
    with pytest.raises(
        RequestError, match=r"^adapter\.targets=auto: \S+encoder_attn\.k_proj, .* never used"
    ) as refused:
        rehearse("here", make_network(path), make_adapter())
    advised = str(refused.value).partition("give adapter.targets=[")[2].partition("]")[0].split(",")
    assert "self_attn.q_proj" in advised
    rehearse("here", make_network(path, targets=advised), make_adapter(targets=advised))


def test_blocks_that_give_no_vector_for_each_token_are_refused(tmp_path: Path) -> None:
    """Gemma 3n keeps several versions of each."""
    small = OWN_WIDTH | {"layer_types": ["full_attention"] * 3, "activation_sparsity_pattern": [0.0] * 3}
    small |= {"vocab_size_per_layer_input": 64, "hidden_size_per_layer_input": 8, "laurel_rank": 4}
    path = save(hf.Gemma3nTextConfig(**small, num_kv_shared_layers=1), tmp_path)
    with pytest.raises(RequestError, match=r"^model\.path=here: block 1 gives values of shape \(4, 2, 8, 32\) for"):
        rehearse("here", make_network(path), make_adapter())


def test_what_cannot_be_computed_is_said_in_one_message(tmp_path: Path) -> None:
    causal = make_network(str(make_family("gpt2", tmp_path)), kind="full").causal
    causal.transformer.h[1].mlp.dropout.p = 3.5
    with pytest.raises(RequestError, match=r"^model\.path=here: cannot compute \(.*dropout"):
        rehearse("here", Network(causal, causal), make_adapter(kind="full"))
