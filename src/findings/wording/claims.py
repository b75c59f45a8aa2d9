"""The words of the claims: what each says, and of a verdict its number and what explains it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ...system.invocation import command_line
from ...system.words import count_of
from ..claim import Claim, ClaimName, Verdict
from ..finding import Finding
from ..spread import Spread
from .lists import join_all

TITLES: dict[ClaimName, str] = {
    "changed": "The activations changed at all",
    "early": "(a) Early reorganisation",
    "peak": "(b) Transient peak",
    "separable": "(c) Separable objectives",
    "twins": "(d) Pretrained and instruct differ",
}
MEANINGS: dict[ClaimName, str] = {
    "changed": "from the base model to the last checkpoint; if not, nothing below has a meaning",
    "early": "more excess, which is change beyond chance, in the first tenth of the steps than in the last half",
    "peak": "the velocity rises at some step and comes down again",
    "separable": "how the shape moves tells which objective was trained",
    "twins": "the shapes of twins move in different ways",
}
"""What a claim says, after its title."""
QUESTIONS: dict[ClaimName, str] = {
    "changed": "Did the activations change at all?", "early": "Early reorganisation?", "peak": "Transient peak?",
}  # fmt: skip
"""The claims about single runs, asked of one run."""
ANSWERS: dict[Verdict, str] = {
    "holds": "Yes", "does not hold": "No", "cannot be told": "Cannot be told", "is rounding": "Is rounding",
}  # fmt: skip
LAST_QUESTION = "What explains it, and what cannot be told?"
ACROSS_RUNS = f"Whether objectives are separable and twins differ takes several runs (`{command_line('compare')}`)."
NOT_MEASURED: dict[ClaimName, str] = {
    "changed": "a test of step 0 against the last checkpoint",
    "early": "the excess (tda.null_draws) in the first tenth of the steps and in the last half",
    "peak": "a velocity at 3 checkpoints or more",
}
BOUNDS = "95 %: "
"""What stands before bounds in brackets, where nothing else says it."""
NO_INTERVAL = "intervals (tda.subsamples)"
NO_TWIN = "runs of its pretrained or instruct twin"
ROUNDING = (
    "the velocities are what rounding gives: raise schedule.lag, or read the probes more finely (probe.precision)"
)
NO_BOUNDS = "not called, and without bounds that could exclude it"
FEW_IN_MOST = "in more runs than by chance, but not in most"
EXPLANATIONS = {
    "displacement": "explained by larger movement",
    "learning_rate": "explained by the learning-rate schedule",
    "nothing": "not explained by larger movement: a change of shape",
    "unknown": "no distance change was measured to explain it",
    "schedule": "only the naive velocity peaks: unequal gaps between checkpoints",
}
"""Of a peak, by its label."""


def describe_missing(reasons: Sequence[str]) -> str:
    """What a verdict takes that is not there."""
    return f"missing: {join_all(list(dict.fromkeys(reasons)))}"


def describe_needed_runs(needed: int, runs: int) -> str:
    """Runs that a verdict takes, to stand after "missing"."""
    return f"{count_of(needed, 'run')} that can tell ({runs} found)"


def describe_needed_checkpoints(needed: int, checkpoints: int) -> str:
    """Checkpoints that a peak takes, to stand after "missing"."""
    return f"{needed} checkpoints with pairs ({checkpoints} found)"


def describe_excluded(name: ClaimName, high: float) -> str:
    """Why a claim does not hold: what its bounds exclude, where its number does not say so."""
    if name == "changed":
        return "no movement beyond rounding"
    return f"rises and falls by {high:.2f} x at most" if name == "peak" else ""


def describe_not_excluded(name: ClaimName, high: float, least: float) -> str:
    """Why what is not called cannot be denied either: the effect that the bounds still allow, and what matters."""
    if name == "changed":
        return "the points moved, but no more alike than errors do"
    if not math.isfinite(high):
        return NO_BOUNDS
    up_to = f"up to {high:.2f} standard deviations" if name == "twins" else f"up to {high:.2f} x"
    return f"not called, but {up_to} cannot be excluded ({least:g} would matter)"


def describe_small(least: float) -> str:
    """Of an effect that is there, but smaller than what a claim is denied for."""
    return f"certain, but less than {least:g} x"


def describe_recognition(accuracy: Finding, chance: float, least: float | None) -> str:
    """In how many runs the objective is recognised.

    Args:
        accuracy: the share; NaN where there are too few seeds to learn it from.
        chance: the share by chance alone.
        least: the share that would matter, where the bounds do not exclude it; else None.
    """
    if not math.isfinite(accuracy.value):
        return "" if least is None else "not called, and too few seeds to say how many runs could be recognised"
    message = f"recognised: {100 * accuracy.value:.0f} % of the runs (chance {100 * chance:.0f} %)"
    if least is None:
        return message
    up_to = f"up to {100 * accuracy.high:.0f} % cannot be excluded ({100 * least:.0f} % would matter)"
    return f"not called, but {up_to}; {message}"


def describe_runs(counts: Sequence[tuple[int, int, int]]) -> str:
    """In how many runs a claim is called: dimension (-1: none), called, runs that can tell; the best first."""
    dimensions: dict[tuple[int, int], list[str]] = {}
    for k, called, runs in counts:
        dimensions.setdefault((called, runs), []).append(f"H{k}" if k >= 0 else "")
    return ", ".join(
        f"{called} of {count_of(runs, 'run')}" + (f" ({', '.join(sorted(names))})" if names[0] else "")
        for (called, runs), names in dimensions.items()
    )


def describe_dimensions(holding: Sequence[int], dimensions: int) -> str:
    """In which homology dimensions of a run, of so many, a claim holds; empty where there is no choice."""
    if dimensions < 2 or not holding:
        return ""
    return f"in {join_all([f'H{k}' for k in holding])}" + (" alone" if len(holding) == 1 else "")


def write_number(name: ClaimName, value: float, low: float, high: float, k: int) -> str:
    """The value of a claim, with its 95 % bounds in brackets, as it is read."""
    if not math.isfinite(value):
        return ""
    bounded = math.isfinite(low) and math.isfinite(high) and high > low
    if name in ("changed", "separable"):
        bounds = f" ({BOUNDS}{100 * low:.0f} to {100 * high:.0f})" if bounded else ""
        return f"{100 * value:.0f} %{bounds} of the {'blocks' if name == 'changed' else 'differences'}"
    bounds = f" ({BOUNDS}{low:.2f} to {high:.2f})" if bounded else ""
    if name == "twins":
        return f"{value:.2f}{bounds} standard deviations apart"
    return f"H{k} {'excess, early / late' if name == 'early' else 'velocity, peak / late'} {value:.2f}{bounds}"


def write_p(p: float) -> str:
    """How certain it is, after a number without an interval."""
    return f", p = {p:.2g}"


def describe_early_explanation(
    early: Spread | None, late: Spread | None, reverse: int, fast: int, runs: int, *, holds: bool
) -> str:  # fmt: skip
    """What the ratio of early and late excess is made of.

    Args:
        early, late: the excess of the first tenth and of the last half.
        reverse: runs with certainly less excess early.
        fast: runs in which more than a tenth of the path lies in the first tenth of the steps.
        runs: that could tell.
    """
    parts = []
    if early and late:
        parts.append(f"excess {early.median:.2f} early, {late.median:.2f} late")
    if reverse:
        parts.append("the reverse" + (f" in {reverse} of {runs}" if runs > 1 else ""))
    if fast and not holds:
        parts.append(f"faster early{f' in {fast} of {runs}' if runs > 1 else ''}, but no more than chance")
    return "; ".join(parts)


def describe_peak_explanation(labels: Mapping[str, int], declines: int, runs: int) -> str:
    """What peaks come from, or what there is in place of one: labels with the numbers of runs, runs that decline."""
    counted = {words: labels[label] for label, words in EXPLANATIONS.items() if labels.get(label)}
    if declines:
        counted["the velocity declines instead"] = declines
    return "; ".join(words + (f" ({count})" if runs > 1 else "") for words, count in counted.items())


def describe_separable(*, spreads: bool, separable: bool) -> str:
    """What else may make a test of separability call, or keep it from calling."""
    return "the groups spread differently" + (", which may be all" if separable else "") if spreads else ""


def describe_twin_numbers(differing: Sequence[str]) -> str:
    """Which single numbers of twins differ, and what that speaks of."""
    names = join_all([name.replace("_", " ") for name in differing])
    return f"{f'in {names}; ' if names else ''}of this pair, not of instruction tuning"


def answer_claims(claims: Sequence[Claim]) -> list[tuple[str, str]]:
    """Questions and answers of one run: one for each claim about single runs, then what explains them."""
    answers: list[tuple[str, str]] = []
    explanations: dict[str, list[str]] = {}
    for claim in claims:
        verdict = " ".join(filter(None, [ANSWERS[claim.verdict], claim.runs]))
        answers.append((QUESTIONS[claim.name], ": ".join(filter(None, [verdict, claim.number])) + "."))
        if claim.explanation:
            explanations.setdefault(claim.explanation, []).append(QUESTIONS[claim.name].rstrip("?"))
    explained = [f"{join_all(names)}: {explanation}." for explanation, names in explanations.items()]
    return [*answers, (LAST_QUESTION, " ".join([*explained, ACROSS_RUNS]))]
