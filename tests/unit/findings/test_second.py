"""What a second metric says is said next to the first."""

from __future__ import annotations

from dataclasses import replace

from src.findings import finding_metrics, run_findings, sentences
from src.metrics.second import as_second
from src.metrics.table import Row, tabulate


def rows_of(excess: float) -> list[Row]:
    """Two checkpoints, the mean over the layers alone, with what an interval needs."""
    values = {"velocity": 0.5, "excess": excess, "null_velocity": 0.5 / excess}
    whole = [
        Row(step, quantity, value + k * (quantity == "excess"), "mean", k)
        for step in (0, 10) for k in (0, 1) for quantity, value in values.items()
    ]  # fmt: skip
    return whole + [
        replace(row, value=row.value * share, sample=n)
        for row in whole if row.quantity != "excess" for n, share in enumerate((0.4, 0.5, 0.6))
    ]  # fmt: skip


def test_the_mean_excess_of_both_metrics_is_one_sentence() -> None:
    found = run_findings(tabulate([*rows_of(2.0), *as_second(rows_of(16.0))]))
    reported = [sentence for sentence in sentences(found) if "standardized" in sentence]
    assert reported == [
        "Measured beside with standardized distances (`standardized/...`), the mean excess over the checkpoints is: H0 "
        "16 instead of 2; H1 17 instead of 3."
    ]
    assert not any("second_metric" in key for key in finding_metrics(found))


def test_without_a_null_the_velocities_are_compared_and_without_a_second_metric_nothing() -> None:
    still = [row for row in rows_of(2.0) if row.quantity == "velocity"]
    found = run_findings(tabulate([*rows_of(2.0), *as_second(still)]))
    assert "the mean velocity over the checkpoints is: H0 0.5 instead of 0.5" in found["second_metric", -1].sentence
    assert ("second_metric", -1) not in run_findings(tabulate(rows_of(2.0)))


def test_the_findings_are_those_of_the_first_metric() -> None:
    alone = finding_metrics(run_findings(tabulate(rows_of(2.0))))
    assert finding_metrics(run_findings(tabulate([*rows_of(2.0), *as_second(rows_of(16.0))]))) == alone


def test_the_warning_of_dominant_coordinates_points_to_what_was_measured_beside() -> None:
    """One layer is enough: the mean over the layers may be far from it."""
    wide = [
        Row(0, "dominant_share", share, layer) for layer, share in (("layer_01", 0.1), ("layer_02", 0.9), ("mean", 0.5))
    ]
    warned = run_findings(tabulate([*rows_of(2.0), *wide]))["limits", -1].sentence
    assert "Two coordinates carry up to 90 % of the squared distances in layer_02" in warned
    assert "measure the clouds again with tda.metric=standardized" in warned
    beside = run_findings(tabulate([*rows_of(2.0), *wide, *as_second(rows_of(3.0))]))["limits", -1].sentence
    assert "read what was measured beside (`standardized/...`)" in beside
    assert "tda.metric=standardized" not in beside
