"""Which layers are captured."""

from __future__ import annotations

import pytest

from src.clouds.layers import choose_layers


@pytest.mark.parametrize(("blocks", "count"), [(6, 6), (12, 12), (16, 9), (32, 9), (80, 9)])
def test_layers_are_all_or_nine_with_first_and_last(blocks: int, count: int) -> None:
    layers = choose_layers(blocks)
    assert len(layers) == count
    assert (layers[0], layers[-1]) == (1, blocks)
