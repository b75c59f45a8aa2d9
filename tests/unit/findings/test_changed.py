"""Whether the activations changed at all, in one sentence."""

from __future__ import annotations

import pandas as pd
import pytest

from src.findings import finding_metrics, run_findings, sentences
from src.metrics.second import as_second
from src.metrics.table import Row, tabulate, with_means
from tests.support.tables import table_of


def rows_of(moved: list[float], p: list[float], floor: float | None = 0.001) -> list[Row]:
    named = {"base_displacement": moved, "base_p": p}
    if floor is not None:
        named["floor/base_displacement"] = [floor] * len(moved)
    rows = [
        Row(225, quantity, value, f"layer_{n:02d}")
        for quantity, values in named.items()
        for n, value in enumerate(values)
    ]
    return with_means(rows)


def table_with(rows: list[Row]) -> pd.DataFrame:
    return pd.concat([table_of(lambda _: 2.0), tabulate(rows)], ignore_index=True)


def test_a_layer_counts_if_the_test_calls_it_and_it_moved_beyond_the_floor() -> None:
    found = run_findings(table_with(rows_of([0.1, 0.1, 0.002, 0.1], [1e-4, 0.5, 1e-4, 2e-4])))
    finding = found["changed_share", -1]
    assert finding.value == 0.5
    assert finding.called
    assert finding.sentence == (
        "The activations changed in 2 of 4 blocks between step 0 and step 225 (paired permutation test, p < 0.05 "
        "after Benjamini-Hochberg, and more than 3 x the rounding floor). In 1 of the others the movement is within "
        "3 x the floor."
    )
    assert sentences(found)[0] == finding.sentence, "the plainest of all comes first"
    assert finding_metrics(found)["finding/changed_share"] == 0.5


def test_p_is_adjusted_for_the_number_of_layers() -> None:
    assert run_findings(table_with(rows_of([0.1] * 4, [0.04, 0.5, 0.6, 0.7])))["changed_share", -1].value == 0
    assert not run_findings(table_with(rows_of([0.1], [0.5])))["changed_share", -1].called


def test_without_a_floor_the_test_stands_alone_and_says_so() -> None:
    finding = run_findings(table_with(rows_of([0.1, 0.0], [1e-4, 1.0], None)))["changed_share", -1]
    assert finding.value == 0.5
    assert "; no rounding floor was measured)" in finding.sentence


@pytest.mark.parametrize("second", [False, True])
def test_it_is_that_of_the_first_metric_and_none_where_nothing_was_compared(second: bool) -> None:
    rows = list(as_second(rows_of([0.1], [1e-4]))) if second else []
    assert ("changed_share", -1) not in run_findings(table_with(rows))
