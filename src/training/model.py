"""Model, tokenizer and adapter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from ..assets import ASSETS, locate
from ..clouds.arithmetic import choose_arithmetic
from ..clouds.capture import find_blocks
from ..config import AdapterConfig, Config, ModelConfig, RequestError, TrainerConfig
from ..data.hub import require_hub
from .check_model import check_folder, check_weights


@dataclass(frozen=True)
class Network:
    """A causal language model and the parts of it that the rest needs by name."""

    model: PreTrainedModel | PeftModel
    """What is trained and saved."""
    causal: PreTrainedModel
    """The language model with its head, adapters inside."""

    @property
    def trunk(self) -> nn.Module:
        """The model without its head."""
        trunk: nn.Module = self.causal.base_model
        return trunk

    @property
    def blocks(self) -> nn.ModuleList:
        return find_blocks(self.trunk, self.causal.config.get_text_config().num_hidden_layers)


def embedded_models() -> list[str]:
    return sorted(config.parent.name for config in ASSETS.glob("*/config.json"))


def load_tokenizer(model: ModelConfig) -> PreTrainedTokenizerBase:
    """The model's tokenizer, with a padding token.

    Raises:
        RequestError: if it cannot be read, saying what to check.
    """
    tokenizer: PreTrainedTokenizerBase = _load(AutoTokenizer, model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # masked out wherever it pads
    return tokenizer


def load_network(model: ModelConfig, adapter: AdapterConfig, trainer: TrainerConfig, seed: int) -> Network:
    """The model with its adapter, ready to train.

    Raises:
        RequestError: if the weights cannot be read, saying what to check.
    """
    # Full fine-tuning keeps its weights in float32: bfloat16 would round most updates away.
    frozen_bfloat16 = adapter.kind == "lora" and uses_bfloat16(trainer.precision)
    dtype = torch.bfloat16 if frozen_bfloat16 else torch.float32
    causal, loading = _load(AutoModelForCausalLM, model, dtype=dtype, use_safetensors=True, output_loading_info=True)
    check_weights(model.path, loading)
    causal.config.use_cache = False
    if trainer.gradient_checkpointing:
        causal.gradient_checkpointing_enable({"use_reentrant": False})
        causal.enable_input_require_grads()  # else no gradient reaches an adapter behind a frozen embedding
    if adapter.kind == "full":
        return Network(causal.train(), causal)
    torch.manual_seed(seed)
    lora = LoraConfig(
        r=adapter.rank, lora_alpha=adapter.alpha, lora_dropout=adapter.dropout, target_modules="all-linear",
        task_type="CAUSAL_LM",
    )  # fmt: skip
    # transformers loads in eval mode and Lightning leaves it there.
    return Network(get_peft_model(causal, lora).train(), causal)


def uses_bfloat16(precision: str) -> bool:
    if precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return precision == "bfloat16"


def _load(kind: Any, model: ModelConfig, **options: Any) -> Any:
    where = Path(locate(model.path))
    if model.path.startswith("embedded:") and not where.is_dir():
        raise RequestError(f"model.path={model.path}: embedded are {', '.join(embedded_models())}")
    if where.is_dir():
        check_folder(where)
    try:
        if not where.is_dir() and try_to_load_from_cache(model.path, "config.json") is None:
            require_hub()
        return kind.from_pretrained(locate(model.path), trust_remote_code=False, **options)
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        raise RequestError(_explain_unreadable(model, error)) from error


def _explain_unreadable(model: ModelConfig, error: Exception) -> str:
    where = locate(model.path)
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, ImportError):
        return f"model.path={where}: needs a package that is not here ({reason}); install it, or give plain weights"
    if isinstance(error, SafetensorError):
        return f"model.path={where}: its weights are damaged or cut off ({reason}); download them again"
    if Path(where).is_dir():
        return (
            f"model.path={where}: no model can be read from this folder ({reason}); it needs config.json, "
            "tokenizer files and *.safetensors"
        )
    licence = (
        f"an accepted licence at https://huggingface.co/{where} and an access token (`hf auth login` or HF_TOKEN)"
        if model.gated
        else "an access token (HF_TOKEN) if the model is private or gated"
    )
    return (
        f"model.path={where}: cannot be read from the hub ({reason}). It needs a network connection and {licence}. "
        "A copy on disk works without either: model=local model.path=<folder>"
    )


def save_adapter(network: Network, folder: Path) -> None:
    """The trained weights alone, as safetensors: the adapter, or every weight when all are trained."""
    if isinstance(network.model, PeftModel):
        # Embeddings are never trained; "auto" would ask the hub about them at each checkpoint.
        network.model.save_pretrained(folder, save_embedding_layers=False)
    else:
        network.model.save_pretrained(folder)


def check_template(config: Config, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raises RequestError if a chat template is asked for and the tokenizer has none."""
    for key, template in (("objective", config.objective.template), ("probe", config.probe.template)):
        if template == "chat" and not tokenizer.chat_template:
            raise RequestError(
                f"{key}.template=chat: the tokenizer of {config.model.name} has no chat template; "
                f"use {key}.template=plain"
            )


def check_precision(config: Config) -> None:
    """Raises RequestError if probes are to be read in an arithmetic that this machine does not have."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        choose_arithmetic(config.probe.precision, device)
    except ValueError as error:
        raise RequestError(f"probe.precision={config.probe.precision}: {error}") from error


def check_context(config: Config, network: Network) -> None:
    """Raises RequestError if a length exceeds what the model was built for."""
    context = getattr(network.causal.config.get_text_config(), "max_position_embeddings", None)
    for key, length in (("trainer", config.trainer.max_length), ("probe", config.probe.max_length)):
        if context and length > context:
            raise RequestError(f"{key}.max_length={length}: this model's context is {context} tokens; lower it")
