"""The figure of all layers: what is drawn is what was counted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from src.figures.panels import Heat
from src.figures.picture import draw_png
from src.figures.zigzag import draw_zigzag
from src.metrics.table import Row, with_means

LAYERS = ["layer_01", "layer_02", "layer_03"]
IMAGE = np.array([[0, 9, 0, 1], [0, 0, 0, 0], [0, 0, 0, 99]])


def table_with(*quantities: str) -> pd.DataFrame:
    rows = [
        Row(step, quantity, step + n, layer, 1)
        for step in (0, 4) for n, layer in enumerate(LAYERS) for quantity in quantities
    ]  # fmt: skip
    return pd.DataFrame([vars(row) for row in with_means(rows)])


def test_each_dimension_has_a_row_of_three_maps_and_its_image() -> None:
    table = table_with("zigzag/births", "zigzag/persistence", "layer_distance")
    figure = draw_zigzag(table, LAYERS, [IMAGE, IMAGE])
    assert [len(row) for row in figure.rows] == [4, 4]
    assert all(not panel.marks for panel in figure.rows[0][:3]), "H0 was not measured here"
    births, persistence, distance, image = (panel.marks[0] for panel in figure.rows[1])
    for heat in (births, persistence, distance):
        assert isinstance(heat, Heat)
        assert (list(heat.x), list(heat.y), heat.z.tolist()) == (["0", "4"], LAYERS, [[0, 4], [1, 5], [2, 6]])
    assert isinstance(image, Heat)
    assert list(image.x) == ["01", "02", "03"]
    expected = np.array([[1, 0, 2], [0, 0, np.nan], [np.log10(2), np.nan, np.nan]])
    assert np.array_equal(image.z, expected, equal_nan=True)
    assert draw_png(figure)
