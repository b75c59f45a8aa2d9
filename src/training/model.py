"""The network that is trained, and whether it can do what the configuration asks for."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..clouds.arithmetic import choose_arithmetic
from ..config import AdapterConfig, Config, ModelConfig, RequestError, TrainerConfig
from ..config.schema import QLORA, RANDOM
from .adapter import add_adapter
from .architecture import draw_weights
from .check_model import check_blocks
from .loading import load_weights
from .network import Network
from .quantization import quantized_options


def load_network(model: ModelConfig, adapter: AdapterConfig, trainer: TrainerConfig, seed: int) -> Network:
    """The model with its adapter, ready to train.

    Raises:
        RequestError: if the weights cannot be read, saying what to check.
    """
    dtype = frozen_dtype(adapter, trainer)
    options = quantized_options() if adapter.kind == QLORA else {}
    causal = draw_weights(model, dtype) if model.weights == RANDOM else load_weights(model, dtype, **options)
    check_blocks(model.path, causal)
    return prepare_network(causal, adapter, trainer, seed)


def prepare_network(causal: PreTrainedModel, adapter: AdapterConfig, trainer: TrainerConfig, seed: int) -> Network:
    """A network that has its weights, or only their shapes, with what is trained of it.

    Raises:
        RequestError: if the adapter or the settings do not fit it.
    """
    causal.config.use_cache = False
    if trainer.gradient_checkpointing:
        if not causal.supports_gradient_checkpointing:
            raise RequestError(
                f"trainer.gradient_checkpointing=true: {type(causal).__name__} cannot do that; leave it out, and lower "
                "trainer.micro_batch_size if memory is short"
            )
        causal.gradient_checkpointing_enable({"use_reentrant": False})
        causal.enable_input_require_grads()  # else no gradient reaches an adapter behind a frozen embedding
    if adapter.kind == "full":
        return Network(causal.train(), causal)
    return add_adapter(causal, adapter, seed)


def frozen_dtype(adapter: AdapterConfig, trainer: TrainerConfig) -> torch.dtype:
    """Of the weights that the model comes with."""
    in_float32 = computes_mixed(adapter, trainer) or not uses_bfloat16(trainer.precision)
    return torch.float32 if in_float32 else torch.bfloat16


def uses_bfloat16(precision: str) -> bool:
    if precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return precision == "bfloat16"


def computes_mixed(adapter: AdapterConfig, trainer: TrainerConfig) -> bool:
    """Whether training computes in bfloat16 over float32 weights, which is a matter of autocast.

    Full fine-tuning does: bfloat16 weights would round most updates away. Weights that an adapter stands beside are
    frozen and bfloat16 themselves; they need no autocast, and the adapter computes in float32.
    """
    return adapter.kind == "full" and uses_bfloat16(trainer.precision)


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
