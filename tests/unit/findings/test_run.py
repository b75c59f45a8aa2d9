"""All findings of a run: the same for the same table, finite, and each told once."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from src.findings import finding_metrics, run_findings, sentences
from tests.support.tables import bump, table_of


def test_the_same_table_gives_the_same_findings_and_only_finite_metrics() -> None:
    table = table_of(bump)
    assert finding_metrics(run_findings(table)) == finding_metrics(run_findings(table.sample(frac=1, random_state=1)))
    metrics = finding_metrics(run_findings(table))
    assert {"finding/peak_ratio/H1", "finding/peak_ratio_low/H1", "finding/early_share_high/H1"} <= metrics.keys()
    assert all(math.isfinite(value) for value in metrics.values())
    assert not any("peak_explained_by" in key or "limits" in key for key in metrics)


def test_every_sentence_is_told_once() -> None:
    reported = sentences(run_findings(table_of(bump, rate=lambda s: 1e-3 * (1 - s / 300))))
    assert len(reported) == len(set(reported))
    assert reported[-1].startswith("The learning rate was not constant")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame(), "table is empty"),
        (table_of(bump).iloc[:0], "table is empty; give the long table of a run"),
        ({0: table_of(bump)}, "table is a dict; give one long table"),
        (table_of(bump).drop(columns=["sample", "low"]), "table has no column sample, low"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_has_no_findings(table: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_findings(table)  # type: ignore[arg-type]
