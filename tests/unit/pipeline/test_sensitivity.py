"""Whether the findings of a run hang on one choice, from tables whose truth is written down."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from src.findings import run_findings
from src.metrics.table import MEAN, SECOND, Row, with_means
from src.pipeline.sensitivity import find_sensitivity
from tests.support.tables import bump, table_of

Course = Callable[[int], float]


def layered(courses: list[Course]) -> pd.DataFrame:
    """The table of a run with one layer for each course, and their mean."""
    layers = [
        table_of(course, seed=number).replace({"layer": {"layer_01": f"layer_{number:02d}"}})
        for number, course in enumerate(courses, start=1)
    ]
    table = pd.concat(layers, ignore_index=True)
    rows = [Row(**values) for values in table.to_dict("records")]  # type: ignore[arg-type]
    means = [row for row in with_means(rows) if row.layer == MEAN]
    return pd.concat([table, pd.DataFrame([vars(row) for row in means])[table.columns]], ignore_index=True)


def level(_: int) -> float:
    return 2.0


def test_a_peak_of_all_layers_stands_on_half_of_the_probes_and_in_the_last_third() -> None:
    table = layered([bump, bump, bump])
    sentence = find_sensitivity(table, run_findings(table))
    assert sentence.startswith("Measured in 3 ways: as asked for, half of the probes and the last third of the blocks.")
    assert "called (H1 peak" in sentence
    assert "Not alike" not in sentence.partition("H1 peak")[0]


def test_a_peak_that_the_last_third_of_the_layers_lacks_is_named() -> None:
    table = layered([lambda step: 3 * bump(step), lambda step: 3 * bump(step), level])
    sentence = find_sensitivity(table, run_findings(table))
    assert "Not alike: " in sentence
    assert "H1 peak: called (as asked for and half of the probes), nothing beyond chance (the last third" in sentence


def test_a_second_metric_is_one_of_the_ways_and_one_layer_has_no_last_third() -> None:
    first, second = table_of(bump), table_of(level)
    table = pd.concat([first, second.assign(quantity=SECOND + second.quantity)], ignore_index=True)
    sentence = find_sensitivity(table, run_findings(table))
    assert "as asked for, half of the probes and standardized distances" in sentence
    assert "last third" not in sentence
    assert "nothing beyond chance (standardized distances)" in sentence


def test_without_halves_layers_or_a_second_metric_nothing_is_said() -> None:
    table = table_of(bump, halves=0)
    assert find_sensitivity(table, run_findings(table)) == ""
    assert find_sensitivity(table, {}) == ""
