"""Parts of the long table."""

from __future__ import annotations

import pandas as pd
import pytest

from src.metrics.selection import select
from src.metrics.table import Part, Row, tabulate

ROWS = [
    Row(0, "velocity", 1.0, "layer_01", 1),
    Row(0, "velocity", 2.0, "layer_01", 1, 1),
    Row(0, "velocity", 3.0, "layer_01", 1, sample=0),
    Row(0, "velocity", 4.0, "layer_02", 1),
    Row(0, "velocity", 5.0, "layer_01", 0),
    Row(0, "scale", 6.0, "layer_01"),
    Row(0, "train_loss", 7.0),
]


@pytest.mark.parametrize(
    ("quantity", "dimension", "layer", "part", "values"),
    [
        (None, None, None, None, [1, 2, 3, 4, 5, 6, 7]),
        (None, None, None, "checkpoint", [1, 4, 5, 6, 7]),
        ("velocity", 1, "layer_01", "checkpoint", [1]),
        ("velocity", 1, None, "pair", [2]),
        ("velocity", None, None, "sample", [3]),
        (("scale", "train_loss"), -1, None, "checkpoint", [6, 7]),
        (None, None, "", "checkpoint", [7]),
        ("drift", None, None, None, []),
    ],
)
def test_rows_are_selected_by_what_they_are_in_their_order(
    quantity: str | tuple[str, ...] | None,
    dimension: int | None,
    layer: str | None,
    part: Part | None,
    values: list[int],
) -> None:
    table = tabulate(ROWS)
    found = select(table, quantity, dimension, layer, part=part)
    assert found.value.tolist() == values
    assert found.index.tolist() == [value - 1 for value in values]
    pd.testing.assert_frame_equal(found, table.loc[found.index])
