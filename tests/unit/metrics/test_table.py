"""Rows of the long table, their keys, and what is read off them."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pandas as pd
import pytest

from src.metrics.derived import path_length
from src.metrics.table import Row, metric_key, read_table, tabulate, with_means

TABLE = tabulate([Row(0, "velocity", 0.5, "layer_01", 1, low=0.25, high=1.0), Row(8, "train_loss", 2.0)])


def test_rows_have_their_metric_keys() -> None:
    assert metric_key(Row(0, "velocity", 1.0, "layer_02", 1)) == "velocity/H1/layer_02"
    assert metric_key(Row(0, "topology/n_bars", 1.0, "mean", 0)) == "topology/H0/n_bars/mean"
    assert metric_key(Row(0, "scale", 1.0, "layer_11")) == "geometry/scale/layer_11"


def test_path_length_is_the_integral_of_the_mean_velocity() -> None:
    rows = with_means(Row(step, "velocity", speed, "layer_01", 1) for step, speed in ((0, 1.0), (2, 3.0), (4, 3.0)))
    table = pd.DataFrame([vars(row) for row in rows])
    assert path_length(table, 1) == 10.0
    assert path_length(table, 0) is None


def test_a_table_is_the_same_however_it_is_held() -> None:
    held = [
        TABLE,
        pd.read_csv(StringIO(TABLE.to_csv(index=False))),
        TABLE.to_dict("records"),
        TABLE.astype({"step": "float32", "value": "float16", "layer": "category", "quantity": "string"}),
        TABLE.convert_dtypes(),
    ]
    for table in held:
        pd.testing.assert_frame_equal(read_table(table, "table"), TABLE)


def test_rows_without_a_value_are_left_out() -> None:
    more = pd.concat([TABLE, TABLE.assign(step=TABLE.step + 1, value=np.nan)])
    pd.testing.assert_frame_equal(read_table(more, "table"), TABLE)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.assign(step=0.5), "table.step has values that are no whole numbers"),
        (TABLE.assign(sample=np.nan), "table.sample has values that are no whole numbers"),
        (TABLE.assign(value="1"), "table.value holds object values, not numbers"),
        (TABLE.assign(value=1j), "table.value holds complex numbers"),
        (TABLE.assign(quantity=3), "table.quantity has values that are no words"),
        (TABLE.assign(value=np.nan), "table has no value"),
        (TABLE.assign(value=-np.inf), r"table: \w+ of layer_01 at step \d+, dimension \d, -inf, is infinite"),
        (TABLE.assign(quantity="excess_p", value=1.5), r"table: excess_p of .*, 1\.5, is no p-value, from 0 to 1"),
        (pd.concat([TABLE, TABLE]), "is there twice; give the table of one run"),
        (pd.concat([TABLE, TABLE[["value"]]], axis=1), "table has the column value twice"),
        (TABLE.iloc[:0], "table is empty"),
        ([], "table is empty"),
        ([TABLE], "table is a list; give one long table"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_long_table_is_refused(table: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_table(table, "table")
