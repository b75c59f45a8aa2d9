"""Rows of the long table, their keys, and what is read off them."""

from __future__ import annotations

from src.metrics.derived import path_length
from src.metrics.table import Row, metric_key, with_means


def test_rows_have_their_metric_keys() -> None:
    assert metric_key(Row(0, "velocity", 1.0, "layer_02", 1)) == "velocity/H1/layer_02"
    assert metric_key(Row(0, "topology/n_bars", 1.0, "mean", 0)) == "topology/H0/n_bars/mean"
    assert metric_key(Row(0, "scale", 1.0, "layer_11")) == "geometry/scale/layer_11"


def test_path_length_is_the_integral_of_the_mean_velocity() -> None:
    import pandas as pd

    rows = with_means(Row(step, "velocity", speed, "layer_01", 1) for step, speed in ((0, 1.0), (2, 3.0), (4, 3.0)))
    table = pd.DataFrame([vars(row) for row in rows])
    assert path_length(table, 1) == 10.0
    assert path_length(table, 0) is None
