"""The claims of arXiv 2606.19542, model by model: a pure function from findings to verdicts.

A claim about single runs holds for a model if it is called in more than half of the runs that can tell, and in more
than false alarms would give: a binomial test of `ALPHA` a run, at `ALPHA` over the number of homology dimensions. It
does not hold where the 95 % bounds exclude an effect that matters (`LEAST` of `.effects`), and cannot be told
elsewhere, nor of fewer runs than could pass that test if it were called in all of them. That the activations changed
is no such claim but what all others take: it holds if it is called in more than half of the runs. A run by itself has
the verdicts of its own findings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .claim import Claim, ClaimName, Evidence, Verdict
from .effects import LEAST, excludes, least_recognition
from .finding import Finding, GroupFindings, RunFindings
from .run import sentences
from .support import NOTHING, SENTENCES
from .trajectory import Tracked
from .twins import twin_models
from .verdicts import beyond_chance, give_verdict, in_most
from .wording.claims import (
    NO_TWIN,
    ROUNDING,
    answer_claims,
    describe_missing,
    describe_not_excluded,
    describe_recognition,
    describe_separable,
    describe_twin_numbers,
    write_number,
    write_p,
)

RUN_CLAIMS: tuple[ClaimName, ...] = ("changed", "early", "peak")
"""Claims about single runs."""
ACROSS: dict[ClaimName, tuple[str, ...]] = {
    "changed": ("changed",), "early": ("early_",), "peak": ("peaks_",),
    "separable": ("separability_p", "dispersion_p", "seed_accuracy"), "twins": ("twins_",),
}  # fmt: skip
"""Beginnings of the names of the findings across runs that belong to a claim."""


def judge_claims(runs: Sequence[Tracked], across: GroupFindings) -> list[Claim]:
    """Verdicts on each claim: for each model, and on the last for each pair of twins and each model without one.

    Args:
        runs: as in `find_across`.
        across: what that finds of them.
    """
    claims = []
    models = list(dict.fromkeys(run.model for run in runs))
    for model in models:
        evidence = [Evidence(run.findings, run.table) for run in runs if run.model == model]
        for name in RUN_CLAIMS:
            reported = _sentences(name, model, across)
            if len(evidence) == 1:
                reported += _own_sentences(name, evidence[0].findings)
            rule = in_most if name == "changed" else beyond_chance
            claims.append(give_verdict(name, model, evidence, rule, reported))
        claims.append(_judge_separable(model, evidence, across))
    pairs = twin_models(runs)
    claims += [_judge_pair(pair, across) for pair in pairs]
    missing, reported = describe_missing([NO_TWIN]), _sentences("twins", "all", across)
    alone = [model for model in models if not any(model in pair for pair in pairs)]
    return claims + [
        Claim("twins", model, (model,), "cannot be told", explanation=missing, sentences=reported) for model in alone
    ]


def judge_run(run: Evidence) -> list[Claim]:
    """Verdicts on the claims about single runs for one run by itself: each holds where its own finding is called."""
    return [give_verdict(name, "", [run], in_most, _own_sentences(name, run.findings)) for name in RUN_CLAIMS]


def answer_run(run: Evidence) -> list[tuple[str, str]]:
    """What a person asks of one run, and the answers: whether it changed, each claim, what explains them."""
    return answer_claims(judge_run(run))


def _judge_separable(model: str, evidence: Sequence[Evidence], across: GroupFindings) -> Claim:
    test, own = across["separability_p", model], _sentences("separable", model, across)
    if not math.isfinite(test.value):
        if 2 * sum(run.is_rounding for run in evidence) > len(evidence):
            return Claim("separable", model, (model,), "is rounding", explanation=ROUNDING, sentences=own)
        missing = describe_missing([test.missing])
        return Claim("separable", model, (model,), "cannot be told", explanation=missing, sentences=own)
    share = across["separability_r2", model].value
    accuracy, spread = across.get(("seed_accuracy", model), NOTHING), across.get(("dispersion_p", model))
    chance = across.get(("seed_accuracy_chance", model), NOTHING).value
    least = least_recognition(chance)
    verdict = _judge_test(test, excluded=accuracy.high < least)
    explanation = "; ".join(filter(None, [
        describe_separable(spreads=bool(spread and spread.called), separable=test.called),
        describe_recognition(accuracy, chance, least if verdict == "cannot be told" else None),
    ]))  # fmt: skip
    number = write_number("separable", share, math.nan, math.nan, -1) + write_p(test.value)
    return Claim("separable", model, (model,), verdict, share, number=number, explanation=explanation, sentences=own)


def _judge_pair(pair: tuple[str, str], across: GroupFindings) -> Claim:
    group = " / ".join(pair)
    test, own = across["twins_p", group], _sentences("twins", group, across)
    if not math.isfinite(test.value):
        missing = describe_missing([test.missing])
        return Claim("twins", group, pair, "cannot be told", explanation=missing, sentences=own)
    distance = across["twins_distance", group]
    verdict = _judge_test(test, excluded=excludes("twins", distance.high))
    differing = [
        name.removeprefix("twins_")
        for (name, of), finding in across.items() if of == group and finding.called and name != "twins_p"
    ]  # fmt: skip
    explanation = "; ".join([
        *([describe_not_excluded("twins", distance.high, LEAST["twins"])] if verdict == "cannot be told" else []),
        describe_twin_numbers(differing),
    ])  # fmt: skip
    bounded = distance.value, distance.low, distance.high
    number = write_number("twins", *bounded, -1) + write_p(test.value)
    return Claim("twins", group, pair, verdict, *bounded, number=number, explanation=explanation, sentences=own)


def _judge_test(test: Finding, *, excluded: bool) -> Verdict:
    """Of a test between groups of runs: what it calls holds, else bounds must exclude an effect that matters."""
    if test.called:
        return "holds"
    return "does not hold" if excluded else "cannot be told"


def _sentences(name: ClaimName, group: str, across: GroupFindings) -> list[str]:
    chosen = {key: finding for key, finding in across.items() if key[1] == group and key[0].startswith(ACROSS[name])}
    return [sentence for sentence in dict.fromkeys(finding.sentence for finding in chosen.values()) if sentence]


def _own_sentences(name: ClaimName, found: RunFindings) -> list[str]:
    """What a run by itself says about a claim; what limits it goes with the last."""
    kept = {key: finding for key, finding in found.items() if key[0] in SENTENCES[name]}
    return sentences(kept, SENTENCES[name])
