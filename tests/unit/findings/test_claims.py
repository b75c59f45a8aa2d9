"""The claims, model by model."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from src.figures.report import Comparison
from src.findings import Claim, Evidence, Tracked, compare_twins, judge_claims, judge_run
from src.findings.finding import Finding, GroupFindings
from tests.support.planted import Planted, plant_table
from tests.support.tables import bump, table_of, twin_runs

UNTESTED = Finding(math.nan, sentence="Not tested.", missing="3 seeds with one run of each")


def by_name(claims: list[Claim], group: str) -> dict[str, Claim]:
    return {claim.name: claim for claim in claims if group in (claim.group, *claim.models)}


def across(*models: str) -> GroupFindings:
    return {("separability_p", model): UNTESTED for model in models} | {("twins_p", "all"): Finding(math.nan)}


def planted(model: str, seed: int, *, early: float = 1.0, rounding: float = 0.0) -> Tracked:
    """A run with so many times the excess in the first tenth of its steps, marked as rounding or not."""
    table = plant_table(Planted(model, seed=seed, layers=1))
    first = (table.step <= 12) & (table.pair_step < 0) & table.quantity.isin(["excess", "velocity"])
    table.loc[first, "value"] *= early
    table.loc[table.quantity == "below_floor", "value"] = rounding
    return Tracked(f"{model} {seed}", model, "pretrained", None, "helpful", seed, table)


def test_every_model_of_a_comparison_has_a_verdict_on_every_claim(comparison: Comparison) -> None:
    for model in ("tiny", "tiny_instruct"):
        claims = by_name(list(comparison.claims), model)
        assert list(claims) == ["changed", "early", "peak", "separable", "twins"]
        assert [claims[name].verdict for name in ("changed", "early", "separable", "twins")] == [
            "holds", "does not hold", "holds", "holds",
        ]  # fmt: skip
        assert (claims["changed"].runs, claims["changed"].number) == ("8 of 8 runs", "100 % of the blocks")
        assert claims["early"].runs.startswith("0 of 8 runs")
        assert claims["early"].low < 1 < claims["early"].high
        assert re.search(r"faster early in [1-8] of 8, but no more than chance", claims["early"].explanation)
        assert ", p = 0.0" in claims["separable"].number
        assert claims["separable"].value == comparison.group_findings["separability_r2", model].value
    assert claims["twins"].models == ("tiny", "tiny_instruct")


def test_a_claim_has_every_sentence_that_belongs_to_it(comparison: Comparison) -> None:
    claims = by_name(list(comparison.claims), "tiny")
    found = {name: f.sentence for (name, group), f in comparison.group_findings.items() if group == "tiny"}
    assert claims["changed"].sentences == [found["changed"]]
    assert claims["early"].sentences == [found["early_H0"], found["early_H1"]]
    assert claims["peak"].sentences == [found["peaks_H0"], found["peaks_H1"]]
    assert claims["separable"].sentences == [found["separability_p"], found["seed_accuracy"]]


def test_more_excess_early_is_an_early_reorganisation_and_rounding_is_none() -> None:
    runs = [planted("early", seed, early=2.0) for seed in range(2)]
    runs += [planted("coarse", seed, rounding=1.0) for seed in range(2)]
    claims = judge_claims(runs, across("early", "coarse"))
    early, coarse = by_name(claims, "early"), by_name(claims, "coarse")
    assert (early["early"].verdict, early["early"].runs) == ("holds", "2 of 2 runs (H0, H1)")
    assert early["early"].value == pytest.approx(2, rel=0.1)
    assert [coarse[name].verdict for name in ("changed", "early", "peak", "separable", "twins")] == [
        "holds", "is rounding", "is rounding", "is rounding", "cannot be told",
    ]  # fmt: skip
    assert "schedule.lag" in coarse["early"].explanation
    assert early["separable"].verdict == "cannot be told"
    assert early["separable"].explanation == "missing: 3 seeds with one run of each"


def test_twins_share_a_verdict() -> None:
    for shift, seeds, verdict in ((0.5, 3, "holds"), (0.0, 3, "does not hold"), (0.5, 2, "cannot be told")):
        runs = twin_runs(shift, seeds)
        claims = judge_claims(runs, across("tiny", "tiny_instruct") | compare_twins(runs))
        claim = by_name(claims, "tiny_instruct")["twins"]
        assert (claim.group, claim.models) == ("tiny / tiny_instruct", ("tiny", "tiny_instruct"))
        assert claim.verdict == verdict
        assert ("missing: 6 pairs" in claim.explanation) == (verdict == "cannot be told")
        assert bool(claim.number) == (verdict != "cannot be told")


def test_a_run_by_itself_has_the_verdicts_of_its_own_findings() -> None:
    table = table_of(bump)
    run = Tracked("run", "tiny", "pretrained", None, "helpful", 0, table)
    changed, early, peak = judge_run(Evidence(run.findings, table))
    assert (changed.verdict, early.verdict, peak.verdict) == ("cannot be told", "cannot be told", "holds")
    assert peak.explanation == "not explained by larger movement: a change of shape"
    assert run.findings["peak_ratio", 1].sentence in peak.sentences
    flat = table_of(lambda step: 1.0)
    assert judge_run(Evidence(replace(run, table=flat).findings, flat))[2].verdict == "does not hold"


def test_nothing_is_concluded_of_a_model_from_one_run() -> None:
    claims = by_name(judge_claims([planted("tiny", 0)], across("tiny")), "tiny")
    assert claims["changed"].verdict == "holds"
    assert claims["early"].verdict == "cannot be told"
    assert "missing: 2 runs that can tell (1 found)" in claims["early"].explanation
    assert math.isfinite(claims["early"].value)
