"""Weights in 4 bits: what is refused before anything is read, and what a plan says of them."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from src.config import Config, RequestError
from src.config.resolve import resolve_config
from src.forecast.shapes import ShapedNetwork
from src.training.inputs import load_inputs
from src.training.quantization import check_quantization, quantized_options
from tests.support.builders import composed


def configured(*words: str) -> Config:
    return resolve_config(composed("adapter=qlora", *words))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_machine_without_a_gpu_refuses_it() -> None:
    with pytest.raises(RequestError, match=r"adapter=qlora: .* need a GPU"):
        load_inputs(configured())


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="the package is here")
def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(RequestError, match=r"bitsandbytes, which is not here; install topotrace\[qlora\]"):
        check_quantization(configured())


def test_random_weights_are_refused_and_other_adapters_are_not_asked() -> None:
    with pytest.raises(RequestError, match="not drawn"):
        check_quantization(configured("model.weights=random"))
    check_quantization(resolve_config(composed("adapter=lora")))


def test_the_linear_layers_are_read_in_four_bits_and_take_as_many() -> None:
    options = quantized_options()
    assert options["quantization_config"].load_in_4bit
    assert options["quantization_config"].bnb_4bit_compute_dtype == torch.bfloat16
    words = ("model=llama7b", "trainer.precision=bfloat16")
    four, lora = ShapedNetwork(configured(*words)), ShapedNetwork(resolve_config(composed("adapter=lora", *words)))
    assert four.trained == lora.trained
    assert 3.5e9 < four.weights < 4.2e9, "6.5e9 numbers of the blocks in 4 bits, embeddings and head in bfloat16"
