"""Weights in 4 bits that an adapter stands beside (QLoRA, arXiv 2305.14314), by bitsandbytes."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from ..config import Config, RequestError
from ..config.schema import QLORA, RANDOM
from .architecture import training_device

BITS = 4.127
"""Of a number: 4, and its share of the scales, which are quantized as well (section 3 of the paper)."""


def check_quantization(config: Config) -> None:
    """Raises RequestError if weights are to be in 4 bits and something for that is not here."""
    if config.adapter.kind != QLORA:
        return
    if config.model.weights == RANDOM:
        raise RequestError("adapter=qlora: 4 bits are read from stored weights, not drawn; use adapter=lora")
    if not torch.cuda.is_available():
        raise RequestError("adapter=qlora: products with 4-bit weights need a GPU, and there is none; use adapter=lora")
    if find_spec("bitsandbytes") is None:
        raise RequestError(
            "adapter=qlora: needs the package bitsandbytes, which is not here; install topotrace[qlora], or use "
            "adapter=lora"
        )


def quantized_options() -> dict[str, Any]:
    """What transformers is given to read the linear layers of the blocks in 4 bits, straight onto the device."""
    quantization = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    return {"quantization_config": quantization, "device_map": {"": training_device()}}
