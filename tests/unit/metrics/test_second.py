"""Rows of a second metric beside those of the first."""

from __future__ import annotations

from src.metrics.derived import mark_floor
from src.metrics.second import as_second, derive_for_each, split_rows, split_table
from src.metrics.table import Row, metric_key, tabulate

ROWS = [
    Row(0, "velocity", 1.0, "layer_02", 1),
    Row(0, "topology/n_bars", 1.0, "mean", 0),
    Row(0, "scale", 1.0, "layer_11"),
    Row(0, "floor/velocity", 1.0, "mean", 1),
]


def test_the_keys_of_the_second_metric_are_those_of_the_first_in_a_section_of_their_own() -> None:
    for first, second in zip(ROWS, as_second(ROWS), strict=True):
        assert metric_key(second) == f"standardized/{metric_key(first)}"


def test_rows_and_tables_are_split_by_metric_and_called_alike() -> None:
    both = [*ROWS, *as_second(ROWS[:2])]
    assert repr(split_rows(both)) == repr((ROWS, ROWS[:2]))  # a missing bound equals none
    first, second = split_table(tabulate(both))
    assert (len(first), list(second.quantity)) == (4, ["velocity", "topology/n_bars"])


def test_what_follows_from_a_table_follows_for_each_metric_from_its_own_rows() -> None:
    """The same velocity is above the floor of one metric and below that of the other."""
    velocity = Row(4, "velocity", 1.0, "layer_01", 1)
    first = [velocity, Row(0, "floor/velocity", 0.1, "layer_01", 1)]
    second = [velocity, Row(0, "floor/velocity", 0.9, "layer_01", 1)]
    marked = derive_for_each(mark_floor, tabulate([*first, *as_second(second)])).set_index("quantity").value
    assert (marked["below_floor"], marked["standardized/below_floor"]) == (0, 1)
    alone = derive_for_each(mark_floor, tabulate(first))
    assert list(alone.quantity) == ["velocity", "floor/velocity", "below_floor"]
