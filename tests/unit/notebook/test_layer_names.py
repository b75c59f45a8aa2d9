"""What layers are called: texts in the order of depth. Names that are refused are tried where series are read."""

from __future__ import annotations

import pytest

from src.notebook.layer_names import name_layers


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["block_3", "block_12"], ["block_03", "block_12"]),
        (["encoder.layer.9", "encoder.layer.10"], ["encoder.layer.09", "encoder.layer.10"]),
        (["input", "conv", "out"], ["1_input", "2_conv", "3_out"]),
        ([12, 0, 3], ["layer_00", "layer_03", "layer_12"]),
        ([5, 100], ["layer_005", "layer_100"]),
    ],
    ids=str,
)
def test_layers_are_called_so_that_texts_are_in_the_order_of_depth(given: list[int | str], names: list[str]) -> None:
    assert list(name_layers(given).values()) == names == sorted(names)
