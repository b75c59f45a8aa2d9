"""What the findings of single runs come to."""

from __future__ import annotations

import math

import pytest

from src.findings.finding import Finding, RunFindings
from src.findings.summary import summarize_runs


def own(peak: float, cause: str, early: float, excess: tuple[float, float] = (0.5, 0.8)) -> RunFindings:
    called = cause not in ("schedule", "no_peak")
    return {
        ("peak_ratio", 1): Finding(peak, called=called),
        ("naive_peak_ratio", 1): Finding(3 * peak, called=cause != "no_peak"),
        ("peak_explained_by", 1): Finding(math.nan, called=called, label=cause),
        ("early_share", 1): Finding(early, early - 0.02, early + 0.02, called=early > 0.12),
        ("excess_early", 1): Finding(sum(excess) / 2, *excess),
    }


def test_runs_are_counted_and_their_spread_is_told() -> None:
    runs = [
        own(2.0, "learning_rate", 0.2, (1.1, 1.5)),
        own(1.5, "displacement", 0.1),
        own(1.2, "schedule", 0.1, (0.9, 1.1)),
        own(1.0, "no_peak", math.nan),
    ]
    found = summarize_runs(runs)
    assert set(found) == {"peaks_H1", "early_H1"}
    assert found["peaks_H1"].value == 0.5
    assert found["peaks_H1"].sentence == (
        "In 2 of 4 runs a peak of the H1 velocity at constant lag is called (highest over late level: median 1.35 x, "
        "from 1.00 to 2.00; 5 % of the runs by chance). Explained by learning rate: 1, displacement: 1. The naive "
        "velocity shows one in 3 of 4 (median 4.05 x, from 3.00 to 6.00)."
    )
    assert found["early_H1"].value == pytest.approx(0.1)
    assert "In 1 of 4 runs more than a tenth of the H1 path" in found["early_H1"].sentence
    assert "above chance in 1 and below it in 2 runs (median 0.82 x" in found["early_H1"].sentence


def test_runs_whose_activations_changed_are_counted() -> None:
    shares = [Finding(share, called=share > 0) for share in (0.0, 0.5, 1.0)]
    found = summarize_runs([{("changed_share", -1): share} for share in shares])
    assert found.keys() == {"changed"}
    assert found["changed"].value == pytest.approx(2 / 3)
    assert "In 2 of 3 runs the activations changed between step 0 and the last checkpoint" in found["changed"].sentence


def test_one_run_is_not_counted_and_what_one_lacks_is_left_out() -> None:
    assert summarize_runs([own(2.0, "nothing", 0.2)]) == {}
    assert summarize_runs([own(2.0, "nothing", 0.2), {("early_share", 0): Finding(0.1)}]) == {}
    assert summarize_runs([{("excess_early", 1): Finding(1.0)}] * 2) == {}
