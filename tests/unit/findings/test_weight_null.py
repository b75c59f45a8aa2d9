"""Excess against random updates, from tables whose truth is written down."""

from __future__ import annotations

import pandas as pd
import pytest

from src.findings import finding_metrics, run_findings, sentences
from src.metrics.table import Row, tabulate
from tests.support.tables import STEPS, table_of

MEASURED = (0, 16, 225)


def table_with(weights: float, smooth: float | None) -> pd.DataFrame:
    """Smooth excess everywhere, but another one where no random updates were made."""
    rows = [Row(step, "weights_excess", weights, "layer_01", 1) for step in MEASURED]
    if smooth is not None:
        for step in STEPS:
            rows.append(Row(step, "excess", smooth if step in MEASURED else 5.0, "layer_01", 1))
            rows.append(Row(step, "excess_p", 0.5, "layer_01", 1))
            rows += [Row(step, "null_velocity", 1.0 + 0.01 * n, "layer_01", 1, sample=n) for n in range(-1, 2)]
    return pd.concat([table_of(lambda _: 2.0), tabulate(rows)], ignore_index=True)


@pytest.mark.parametrize(("weights", "smooth"), [(1.43, 0.94), (0.8, 1.0)])
def test_where_the_nulls_differ_by_more_than_a_fifth_the_updates_are_trusted(weights: float, smooth: float) -> None:
    found = run_findings(table_with(weights, smooth))
    finding = found["weights_excess", 1]
    assert finding.value == pytest.approx(weights)
    assert f"H1 changed {weights:.2f} x as much (mean over steps 0, 16, 225)" in finding.sentence
    assert f"gives {smooth:.2f} at these steps, more than 20 % away" in finding.sentence
    assert f"trust {weights:.2f}" in finding.sentence
    assert finding.sentence in sentences(found)
    assert finding_metrics(found)["finding/weights_excess/H1"] == pytest.approx(weights)


def test_where_they_agree_nothing_else_is_said() -> None:
    sentence = run_findings(table_with(1.1, 0.95))["weights_excess", 1].sentence
    assert "within 20 % of 1.10" in sentence
    assert "trust" not in sentence


def test_it_stands_alone_where_no_smooth_null_was_measured() -> None:
    sentence = run_findings(table_with(1.1, None))["weights_excess", 1].sentence
    assert "1.10 x as much" in sentence
    assert "smooth" not in sentence


def test_without_random_updates_there_is_no_such_finding() -> None:
    assert not any(name == "weights_excess" for name, _ in run_findings(table_of(lambda _: 2.0)))
