"""Tokenizer and weights read by transformers; whatever it raises of them becomes one message about `model.path`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.logging import get_verbosity, set_verbosity, set_verbosity_error

from ..assets import ASSETS, locate
from ..config import ModelConfig, RequestError
from ..config.schema import RANDOM
from ..data.hub import require_hub
from .architecture import tokenizer_path
from .check_folder import check_folder, weight_files
from .check_model import check_types, check_weights
from .encoders import refuse_encoder
from .reasons import first_words

_TEXTS = ("The egg  boils for 1234 minutes.", "\n\n  def f(x): don't\tGO", "é 😀 한국어")
"""What tokenizers cut in different ways."""

logger = logging.getLogger(__name__)


def embedded_models() -> list[str]:
    return sorted(config.parent.name for config in ASSETS.glob("*/config.json"))


def load_tokenizer(model: ModelConfig) -> PreTrainedTokenizerBase:
    """The model's tokenizer, with a padding token.

    Raises:
        RequestError: if it cannot be read, saying what to check.
    """
    model = replace(model, path=tokenizer_path(model))
    tokenizer: PreTrainedTokenizerBase = _load(AutoTokenizer, model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # masked out wherever it pads
    _try_tokenizer(model, tokenizer)
    _compare_with_file(model, tokenizer)
    return tokenizer


def _compare_with_file(model: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> None:
    """Warn if `tokenizer_config.json` makes another tokenizer than `tokenizer.json` describes.

    A class of another family brings its own rules of cutting; a space in front may be meant.
    """
    file = Path(locate(model.path)) / "tokenizer.json"
    if not file.is_file():
        return
    try:
        described = Tokenizer.from_file(str(file))
    except Exception:  # whatever tokenizers raises: the tokenizer was made of other files
        return
    described.no_truncation()
    described.no_padding()
    backend = tokenizer.backend_tokenizer
    for text in _TEXTS:
        loaded, stored = (one.encode(text, add_special_tokens=False).tokens for one in (backend, described))
        if loaded != stored:
            logger.warning(
                "WARNING: model.path=%s: its tokenizer_config.json (tokenizer_class=%s) cuts %r into %s, its "
                "tokenizer.json into %s; the model knows one of the two: if that is tokenizer.json, set "
                "tokenizer_class to PreTrainedTokenizerFast",
                model.path, type(tokenizer).__name__, text, loaded[:8], stored[:8],
            )  # fmt: skip
            return


def _try_tokenizer(model: ModelConfig, tokenizer: PreTrainedTokenizerBase) -> None:
    try:
        encoded = tokenizer("Hello, world.", return_offsets_mapping=tokenizer.is_fast)
    except Exception as error:  # what is wrong in its files may show only where it is used
        raise RequestError(
            f"model.path={model.path}: its tokenizer cannot read a text ({first_words(error)}); get the folder again"
        ) from error
    if "offset_mapping" not in encoded:
        raise RequestError(
            f"model.path={model.path}: its tokenizer does not say which characters a token stands for, which the loss "
            "on replies needs; save its fast version (tokenizer.json) with save_pretrained"
        )
    if not encoded["input_ids"]:
        raise RequestError(f"model.path={model.path}: its tokenizer makes no tokens of a text; get the folder again")


def load_weights(model: ModelConfig, dtype: torch.dtype | str, **options: Any) -> PreTrainedModel:
    """The model's network with its stored weights, all of them; `auto` keeps the precision that they are stored in.

    Args:
        options: more of what transformers is given, such as how to quantize.

    Raises:
        RequestError: if they cannot be read, or are not those of the network, saying what to check.
    """
    causal, loading = _load(
        AutoModelForCausalLM, model, dtype=dtype, use_safetensors=True, output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are refused below, by name
        **options,
    )  # fmt: skip
    check_weights(model.path, loading)
    if (folder := Path(locate(model.path))).is_dir():
        check_types(model.path, causal, weight_files(folder))
    return causal


def _load(kind: Any, model: ModelConfig, **options: Any) -> Any:
    where = Path(locate(model.path))
    if model.path.startswith("embedded:") and not where.is_dir():
        raise RequestError(f"model.path={model.path}: embedded are {', '.join(embedded_models())}")
    if where.exists():
        check_folder(where, needs_weights=model.weights != RANDOM)
    refuse_encoder(model.path)
    try:
        if not where.is_dir() and try_to_load_from_cache(model.path, "config.json") is None:
            require_hub()
        with silence_transformers():
            return kind.from_pretrained(locate(model.path), trust_remote_code=False, **options)
    except (MemoryError, torch.OutOfMemoryError):
        raise  # nothing is wrong with the files
    except Exception as error:  # damaged files make transformers and tokenizers raise whatever they stumble over
        raise RequestError(_explain_unreadable(model, error)) from error


@contextmanager
def silence_transformers() -> Iterator[None]:
    """Without what transformers prints where we say it in one message ourselves, such as tables of misfit weights."""
    before = get_verbosity()
    set_verbosity_error()
    try:
        yield
    finally:
        set_verbosity(before)


def _explain_unreadable(model: ModelConfig, error: Exception) -> str:
    where = locate(model.path)
    reason = first_words(error)
    if isinstance(error, ImportError):
        return f"model.path={where}: needs a package that is not here ({reason}); install it, or give plain weights"
    if isinstance(error, SafetensorError):
        return f"model.path={where}: its weights are damaged or cut off ({reason}); download them again"
    if "trust_remote_code" in str(error):
        return (
            f"model.path={where}: is defined by code of its own, which is not run here; give a model that transformers "
            "knows by itself"
        )
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
