"""A tiny model with random weights of each family that is told to work; the tokenizer is that of the embedded model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import transformers as hf
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedConfig

from src.assets import ASSETS

TOKENS = {"vocab_size": 1024, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 1}
SMALL = TOKENS | {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
WIDE = SMALL | {"intermediate_size": 48, "max_position_embeddings": 512}
SHARED_HEADS = WIDE | {"num_key_value_heads": 2}
OWN_WIDTH = SHARED_HEADS | {"head_dim": 8}
EXPERTS = SHARED_HEADS | {"num_experts_per_tok": 2}
SEEING = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": 28,
    "patch_size": 14,
}  # fmt: skip

FAMILIES: dict[str, Callable[[], PreTrainedConfig]] = {
    "llama": lambda: hf.LlamaConfig(**SHARED_HEADS),
    "mistral": lambda: hf.MistralConfig(**SHARED_HEADS, sliding_window=None),
    "qwen2": lambda: hf.Qwen2Config(**SHARED_HEADS),
    "qwen3": lambda: hf.Qwen3Config(**OWN_WIDTH),
    "gemma2": lambda: hf.Gemma2Config(**OWN_WIDTH),
    "gemma3": lambda: hf.Gemma3TextConfig(**OWN_WIDTH),
    "phi3": lambda: hf.Phi3Config(**SHARED_HEADS),
    "olmo2": lambda: hf.Olmo2Config(**SHARED_HEADS),
    "gpt2": lambda: hf.GPT2Config(**TOKENS, n_embd=32, n_layer=3, n_head=4, n_positions=512),
    "gpt_neox": lambda: hf.GPTNeoXConfig(**WIDE),
    "opt": lambda: hf.OPTConfig(**SMALL, ffn_dim=48, word_embed_proj_dim=32, max_position_embeddings=512),
    "falcon": lambda: hf.FalconConfig(**SMALL),
    "bloom": lambda: hf.BloomConfig(**TOKENS, hidden_size=32, n_layer=3, n_head=4),
    "mixtral": lambda: hf.MixtralConfig(**EXPERTS, num_local_experts=4),
    "olmoe": lambda: hf.OlmoeConfig(**EXPERTS, num_experts=4),
    "mamba": lambda: hf.MambaConfig(**TOKENS, hidden_size=32, num_hidden_layers=3, state_size=4),
    "falcon_h1": lambda: hf.FalconH1Config(
        **SHARED_HEADS, mamba_d_ssm=32, mamba_n_heads=4, mamba_d_head=8, mamba_d_state=8, mamba_n_groups=1
    ),
}
"""Those of which the README says what was seen."""

ODD: dict[str, Callable[[], PreTrainedConfig]] = {
    "llama4": lambda: hf.Llama4Config(
        text_config=hf.Llama4TextConfig(
            **OWN_WIDTH, num_local_experts=2, intermediate_size_mlp=48, interleave_moe_layer_step=1
        ),
        vision_config=hf.Llama4VisionConfig(
            **SEEING, vision_output_dim=32, projector_input_dim=32, projector_output_dim=32
        ),
    ),
    "gemma3_seeing": lambda: hf.Gemma3Config(
        text_config=hf.Gemma3TextConfig(**OWN_WIDTH), vision_config=hf.SiglipVisionConfig(**SEEING),
        mm_tokens_per_image=4,
    ),
    "gpt1": lambda: hf.OpenAIGPTConfig(vocab_size=1024, n_embd=32, n_layer=3, n_head=4, n_positions=512),
    "deepseek_v2": lambda: hf.DeepseekV2Config(
        **WIDE, num_key_value_heads=4, moe_intermediate_size=16, n_routed_experts=4, n_shared_experts=1,
        num_experts_per_tok=2, q_lora_rank=8, kv_lora_rank=8, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=8,
        first_k_dense_replace=1,
    ),
    "jamba": lambda: hf.JambaConfig(
        **SHARED_HEADS, num_experts=2, attn_layer_period=2, attn_layer_offset=1, expert_layer_period=2,
        expert_layer_offset=1, mamba_d_state=4, mamba_dt_rank=2,
    ),
    "gptj": lambda: hf.GPTJConfig(vocab_size=1024, n_embd=32, n_layer=3, n_head=4, n_positions=512, rotary_dim=4),
    "gpt_neo": lambda: hf.GPTNeoConfig(
        vocab_size=1024, hidden_size=32, num_layers=3, num_heads=4, attention_types=[[["global"], 3]],
        max_position_embeddings=512, window_size=16,
    ),
    "dbrx": lambda: hf.DbrxConfig(
        vocab_size=1024, d_model=32, n_heads=4, n_layers=3, max_seq_len=512,
        ffn_config={"ffn_hidden_size": 16, "moe_num_experts": 4, "moe_top_k": 2},
        attn_config={"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 1e4},
    ),
}  # fmt: skip
"""Those that something stands in the way of: a head inside of the trunk, as many blocks of vision as of text, blocks
that give lists, an attention that cannot be replaced, shared experts, weights that are read past an adapter, routers
made of linear layers."""


def make_family(name: str, folder: Path) -> Path:
    """A folder as a user has it."""
    torch.manual_seed(0)
    config = (FAMILIES | ODD)[name]()
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(ASSETS / "tiny").save_pretrained(folder)
    return folder
