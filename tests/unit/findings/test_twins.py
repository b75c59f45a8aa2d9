"""Whether twins differ: known truths, and what too few pairs cannot say."""

from __future__ import annotations

import math

import pytest

from src.findings import Tracked, compare_twins
from tests.support.tables import bump, table_of, twin_runs


def test_twins_that_differ_within_every_pair_differ() -> None:
    found = compare_twins(twin_runs(0.5))
    pair = "tiny / tiny_instruct"
    assert found["twins_p", pair].value == pytest.approx(2 / 64)
    assert found["twins_p", pair].called
    assert "no statement about instruction tuning" in found["twins_p", pair].sentence
    drift = found["twins_drift_H1", pair]
    assert drift.low < math.exp(0.5) < drift.high
    assert drift.value == pytest.approx(math.exp(0.5), rel=0.1), "instruct over pretrained, at the last shared step"
    assert "1.6" in drift.sentence


def test_twins_alike_do_not_differ_and_too_few_pairs_have_no_p() -> None:
    assert not compare_twins(twin_runs(0.0))["twins_p", "tiny / tiny_instruct"].called
    few = compare_twins(twin_runs(0.5, seeds=2))
    assert few.keys() == {("twins_p", "tiny / tiny_instruct")}
    finding = few["twins_p", "tiny / tiny_instruct"]
    assert math.isnan(finding.value)
    assert "6 pairs of runs" in finding.sentence
    assert "(4 found)" in finding.sentence
    assert compare_twins([run for run in twin_runs(0.5) if run.stage == "pretrained"]) == {}
    with pytest.raises(ValueError, match="are both tiny, helpful, seed 0"):
        compare_twins([*twin_runs(0.5), twin_runs(0.5)[0]])


def test_the_distance_of_twins_is_within_its_bounds_and_they_narrow_with_the_pairs() -> None:
    pair = "tiny / tiny_instruct"
    few, many = (compare_twins(twin_runs(0.0, seeds))["twins_distance", pair] for seeds in (3, 12))
    for distance in (few, many):
        assert 0 <= distance.low <= distance.value <= distance.high
    assert many.high < few.high
    apart = compare_twins(twin_runs(5.0))["twins_distance", pair]
    assert apart.low > 1, "far apart beside the seeds: no bound comes near to zero"


def test_the_scalar_findings_of_twins_are_compared() -> None:
    runs = [
        Tracked(f"{model}{seed}", model, stage, None if stage == "pretrained" else "a", "helpful", seed, table)
        for seed in range(6)
        for model, stage, table in (
            ("a", "pretrained", table_of(lambda _: 1.0, halves=0, repeats=1, seed=seed)),
            ("b", "instruct", table_of(bump, halves=0, repeats=1, seed=seed)),
        )
    ]
    found = compare_twins(runs)
    ratio = found["twins_peak_ratio_H1", "a / b"]
    assert ratio.called
    assert ratio.value == pytest.approx(3, rel=0.1)
    assert "adjusted for 2 numbers" in ratio.sentence, "excess and drift were not measured"
    assert found["twins_early_share_H1", "a / b"].value < 0
