"""Excess over chance from tables whose truth is written down."""

from __future__ import annotations

import pandas as pd
import pytest

from src.findings import run_findings, sentences
from src.metrics.table import Row, tabulate
from tests.support.tables import STEPS, Curve, table_of


def chance_table(excess: Curve, p: Curve) -> pd.DataFrame:
    table = table_of(lambda _: 2.0)
    rows = []
    for step in STEPS:
        rows += [Row(step, name, excess(step), "layer_01", 1) for name in ("excess", "excess_own_scale")]
        rows += [Row(step, "excess_own_scale_p", p(step), "layer_01", 1)]
        rows += [Row(step, "null_velocity", 2 / excess(step), "layer_01", 1)]
        rows += [
            Row(step, "null_velocity", 2 / excess(step) * f, "layer_01", 1, sample=n)
            for n, f in enumerate((0.99, 1.01))
        ]
    return pd.concat([table, tabulate(rows)], ignore_index=True)


def test_a_transient_excess_is_told_with_its_step_and_its_end() -> None:
    found = run_findings(chance_table(lambda s: 2.1 if s < 20 else 1.0, lambda s: 1e-4 if s < 20 else 0.6))
    early, late = found["excess_early", 1], found["excess_late", 1]
    assert early.called
    assert early.value == pytest.approx(2.1)
    assert early.low < 2.1 < early.high
    assert "more than chance in the first tenth" in early.sentence
    assert not late.called
    assert "as much as chance in the last half" in late.sentence
    share = found["excess_share", 1]
    assert share.value == pytest.approx(6 / len(STEPS))
    assert "2.10 x chance in layer_01 at step 0; the last one is at step 16" in share.sentence


def test_a_few_small_p_among_many_are_chance() -> None:
    found = run_findings(chance_table(lambda _: 1.1, lambda s: 0.04 if s == 4 else 0.5))
    assert found["excess_share", 1].value == 0
    assert not found["excess_share", 1].called


def test_the_excess_stands_beside_what_it_may_be_mistaken_for() -> None:
    rows = [Row(step, "points", 256.0, "layer_01") for step in STEPS]
    for name, value in (("independent_excess", 0.8), ("excess_own_scale", 1.02), ("coherence", 0.94)):
        rows += [Row(step, name, value, "layer_01", 1) for step in STEPS]
    plain = chance_table(lambda _: 1.4, lambda _: 1e-4)
    table = pd.concat([plain[plain.quantity != "excess_own_scale"], tabulate(rows)], ignore_index=True)
    found = run_findings(table)
    assert "N = 256)" in found["excess_early", 1].sentence
    assert "1.40 x an equally smooth random movement" in found["excess_early", 1].sentence
    assert found["independent_excess", 1].value == pytest.approx(0.8)
    assert "merely smooth" in found["independent_excess", 1].sentence
    assert found["excess_own_scale", 1].value == pytest.approx(1.02)
    assert "94 % of the H1 change is that all bars die later together" in found["excess_own_scale", 1].sentence
    assert all(found[name, 1].sentence in sentences(found) for name in ("independent_excess", "excess_own_scale"))
