"""The network of a model without its weights: its architecture, drawn at random or with shapes alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from ..assets import ARCHITECTURES, locate
from ..config import ModelConfig, RequestError
from ..data.hub import require_hub
from .check_folder import check_folder
from .reasons import first_words

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
"""One of them is in each folder that a tokenizer can be read from."""
EMBEDDED_TOKENIZER = "embedded:tiny"
"""Whose tokenizer stands in where random weights have none of their own."""
_SEED = 0
"""Of the weights: the same for every `seed`, which says how the adapter is drawn and dialogues are ordered."""


def read_architecture(model: ModelConfig) -> PreTrainedConfig:
    """What `config.json` says: of the folder, of a hub model that is known here, else of the hub.

    Raises:
        RequestError: if it cannot be had, saying what to do.
    """
    where = Path(locate(model.path))
    if where.exists():
        check_folder(where, needs_weights=False)
    try:
        if where.is_dir():
            return AutoConfig.from_pretrained(str(where), trust_remote_code=False)
        if (known := _known_architecture(model.path)) is not None:
            return AutoConfig.for_model(**known)
        if try_to_load_from_cache(model.path, "config.json") is None:
            require_hub()
        return AutoConfig.from_pretrained(model.path, trust_remote_code=False)
    except Exception as error:  # what is wrong in config.json makes transformers raise whatever it stumbles over
        raise RequestError(
            f"model.path={model.path}: its architecture cannot be read ({first_words(error)}); give a folder with its "
            "config.json, no weights are needed there, or a model of conf/model"
        ) from error


def _known_architecture(path: str) -> dict[str, Any] | None:
    described = json.loads(ARCHITECTURES.read_text(encoding="utf-8"))
    found = described.get(path)
    return described[found] if isinstance(found, str) else found  # a twin is built as the other one


def build_network(
    architecture: PreTrainedConfig, path: str, dtype: torch.dtype, device: torch.device
) -> PreTrainedModel:
    """The network on `device`, each tensor made there in `dtype`; on `meta` it has shapes and no numbers.

    Weights are drawn as its family draws them before training, always the same on a kind of device. Random numbers that
    come later are those that would have come without.

    Args:
        path: of the model, for messages.

    Raises:
        RequestError: if there is no such network.
    """
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices), device:
            torch.manual_seed(_SEED)
            causal: PreTrainedModel = AutoModelForCausalLM.from_config(architecture, dtype=dtype)
    except (MemoryError, torch.OutOfMemoryError):
        raise  # nothing is wrong with the description
    except Exception as error:  # impossible numbers show where they are used
        raise RequestError(
            f"model.path={path}: no network can be built by its config.json ({first_words(error)}); mend that"
        ) from error
    return causal.eval()


def draw_weights(model: ModelConfig, dtype: torch.dtype) -> PreTrainedModel:
    """The network with random weights, made where it will be trained; nothing is read or written but the description.

    Raises:
        RequestError: as `read_architecture` and `build_network`.
    """
    return build_network(read_architecture(model), model.path, dtype, training_device())


def training_device() -> torch.device:
    """Where this process trains: its own GPU of several processes', the first one, or the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


def tokenizer_path(model: ModelConfig) -> str:
    """Where the tokenizer is read from: the model's own place, but for random weights only a folder that has one."""
    if model.weights != "random":
        return model.path
    folder = Path(locate(model.path))
    return model.path if any((folder / name).is_file() for name in TOKENIZER_FILES) else EMBEDDED_TOKENIZER


def describe_random(model: ModelConfig) -> str:
    """What stands in for a pretrained model, in one line."""
    tokenizer = tokenizer_path(model)
    whose = "its own tokenizer" if tokenizer == model.path else f"the tokenizer of {tokenizer}, not its own"
    return f"RANDOM WEIGHTS in the architecture of {model.path}, texts cut by {whose}: no numbers of that model"
