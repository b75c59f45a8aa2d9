"""The claims, model by model."""

from __future__ import annotations

import math
import re

import pytest

from src.figures.report import Comparison
from src.findings import Claim, Evidence, Tracked, compare_twins, judge_claims, judge_run, run_findings
from src.findings.effects import LEAST
from src.findings.finding import Finding, GroupFindings
from tests.support.planted import Planted, plant_table
from tests.support.tables import STEPS, bump, table_of, twin_runs

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
        assert claims["early"].high <= LEAST["early"]
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
    for shift, seeds, verdict in (
        (0.5, 3, "holds"), (0.0, 3, "does not hold"), (0.5, 2, "cannot be told"),
    ):  # fmt: skip
        runs = twin_runs(shift, seeds)
        claims = judge_claims(runs, across("tiny", "tiny_instruct") | compare_twins(runs))
        claim = by_name(claims, "tiny_instruct")["twins"]
        assert (claim.group, claim.models) == ("tiny / tiny_instruct", ("tiny", "tiny_instruct"))
        assert claim.verdict == verdict
        assert ("missing: 6 pairs" in claim.explanation) == (verdict == "cannot be told")
        assert bool(claim.number) == (verdict != "cannot be told")
    pair = "tiny / tiny_instruct"
    wide = {("twins_p", pair): Finding(0.5), ("twins_distance", pair): Finding(0.6, 0.0, 1.2)}
    claim = by_name(judge_claims(runs, across("tiny", "tiny_instruct") | wide), "tiny_instruct")["twins"]
    assert (claim.verdict, claim.number) == (
        "cannot be told",
        "0.60 (95 %: 0.00 to 1.20) standard deviations apart, p = 0.5",
    )
    assert "up to 1.20 standard deviations cannot be excluded (1 would matter)" in claim.explanation


def test_a_run_by_itself_has_the_verdicts_of_its_own_findings() -> None:
    table = table_of(bump)
    run = Tracked("run", "tiny", "pretrained", None, "helpful", 0, table)
    changed, early, peak = judge_run(Evidence(run.findings, table))
    assert (changed.verdict, early.verdict, peak.verdict) == ("cannot be told", "cannot be told", "holds")
    assert peak.explanation == "not explained by larger movement: a change of shape"
    assert run.findings["peak_ratio", 1].sentence in peak.sentences


def test_a_run_without_a_peak_denies_it_only_if_it_is_quiet_enough() -> None:
    for noise, steps, verdict, words in (
        (0.02, STEPS, "does not hold", r"rises and falls by 1\.\d\d x at most"),
        (
            0.8,
            STEPS[::3],
            "cannot be told",
            r"not called, but up to \d\.\d\d x cannot be excluded \(1\.5 would matter\)",
        ),
    ):
        table = table_of(lambda step: 1.0, steps, noise=noise)
        found = run_findings(table)
        assert not found["peak_ratio", 1].called
        peak = judge_run(Evidence(found, table))[2]
        assert (peak.verdict, found["peak_height", 1].high <= LEAST["peak"]) == (verdict, verdict == "does not hold")
        assert re.search(words, peak.explanation)


def test_a_velocity_that_only_falls_denies_a_peak() -> None:
    table = table_of(lambda step: 4.0 / (1 + step / 60))
    peak = judge_run(Evidence(run_findings(table), table))[2]
    assert peak.verdict == "does not hold"
    assert "the velocity declines instead" in peak.explanation
    assert peak.value > LEAST["peak"], "by its ratio alone it would be one"


def test_nothing_is_denied_of_a_model_whose_runs_scatter() -> None:
    def claim_of(levels: list[float]) -> Claim:
        runs = [planted("tiny", seed, early=level) for seed, level in enumerate(levels)]
        return by_name(judge_claims(runs, across("tiny")), "tiny")["early"]

    level, scattered = claim_of([1.0] * 4), claim_of([1.0, 0.3, 1.0, 3.0])
    assert level.verdict == "does not hold"
    assert scattered.verdict == "cannot be told"
    assert scattered.high > LEAST["early"]
    assert "cannot be excluded (1.5 would matter)" in scattered.explanation


def test_objectives_are_denied_to_be_separable_only_if_few_runs_can_be_recognised() -> None:
    test = Finding(0.5, sentence="Not separable.")
    for share, bounds, verdict, words in (
        (1 / 3, (0.2, 0.5), "does not hold", "recognised: 33 % of the runs (chance 33 %)"),
        (1 / 3, (0.1, 0.7), "cannot be told", "up to 70 % cannot be excluded (67 % would matter)"),
        (None, None, "cannot be told", "too few seeds to say how many runs could be recognised"),
    ):
        found = across("tiny") | {("separability_p", "tiny"): test, ("separability_r2", "tiny"): Finding(0.1)}
        if share is not None and bounds is not None:
            found |= {
                ("seed_accuracy", "tiny"): Finding(share, *bounds), ("seed_accuracy_chance", "tiny"): Finding(1 / 3),
            }  # fmt: skip
        claim = by_name(judge_claims([planted("tiny", 0)], found), "tiny")["separable"]
        assert claim.verdict == verdict
        assert words in claim.explanation


def test_nothing_is_concluded_of_a_model_from_one_run() -> None:
    claims = by_name(judge_claims([planted("tiny", 0)], across("tiny")), "tiny")
    assert claims["changed"].verdict == "holds"
    assert claims["early"].verdict == "cannot be told"
    assert "missing: 2 runs that can tell (1 found)" in claims["early"].explanation
    assert math.isfinite(claims["early"].value)
