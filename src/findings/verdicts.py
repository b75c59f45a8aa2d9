"""From what single runs say about a claim to one verdict on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import binom

from ..statistics import ALPHA
from ..statistics.intervals import quantile
from .claim import Claim, ClaimName, Evidence, Verdict
from .effects import LEAST, excludes
from .finding import Finding
from .support import explain, find_effect, find_support
from .wording.claims import (
    FEW_IN_MOST,
    ROUNDING,
    describe_dimensions,
    describe_excluded,
    describe_missing,
    describe_needed_runs,
    describe_not_excluded,
    describe_runs,
    describe_small,
    write_number,
)

WITHOUT_DIMENSION = (-1,)
ORDER: tuple[Verdict, ...] = ("holds", "cannot be told", "does not hold")
"""Which homology dimension a verdict is taken from: a claim holds if it does in any, and does not if in none."""
Bounded = tuple[float, float, float]
"""A value and its 95 % bounds."""


@dataclass(frozen=True)
class Tally:
    """What several runs say about a claim in one homology dimension."""

    name: ClaimName
    dimension: int
    """-1: none"""
    findings: Sequence[Finding]
    """of the runs that can tell"""
    effects: Sequence[Finding]
    """of the same runs, what is to be excluded"""
    runs: Sequence[Evidence]
    """the same runs"""
    missing: Sequence[str]
    """what the others lack"""

    @property
    def called(self) -> int:
        return sum(finding.called for finding in self.findings)

    @cached_property
    def center(self) -> Bounded:
        """What the claim's number is over the runs."""
        return _average(self.findings, shares=self.name == "changed")

    @cached_property
    def high(self) -> float:
        """The upper bound of what the claim would have to be called for."""
        if self.name == "changed":
            # Measured on all points, without an error to speak of: the typical run counts.
            return float(np.median([effect.value for effect in self.effects]))
        return _average(self.effects, shares=False)[2]

    @property
    def excluded(self) -> bool:
        """Whether an effect that matters is."""
        return excludes(self.name, self.high)


def _average(findings: Sequence[Finding], *, shares: bool) -> Bounded:
    """The value of one run with its bounds; of several the mean of shares, or of logarithms, with Student's bounds."""
    if not findings:
        return (math.nan,) * 3
    if len(findings) == 1:
        return findings[0].value, findings[0].low, findings[0].high
    values = np.array([finding.value for finding in findings])
    logs = values if shares else np.log(values)
    center, half_width = float(logs.mean()), quantile(len(logs)) * float(logs.std(ddof=1)) / math.sqrt(len(logs))
    if shares:
        return center, max(0.0, center - half_width), min(1.0, center + half_width)
    return math.exp(center), math.exp(center - half_width), math.exp(center + half_width)


Rule = Callable[[Tally, float], Verdict]
"""From a tally and the level of a test to a verdict."""


def in_most(tally: Tally, level: float) -> Verdict:
    """In more than half of the runs, without regard to chance: nothing is concluded from these runs to others."""
    if not tally.findings:
        return "cannot be told"
    if 2 * tally.called > len(tally.findings):
        return "holds"
    return "does not hold" if tally.excluded else "cannot be told"


def beyond_chance(tally: Tally, level: float) -> Verdict:
    """In more than half of the runs, and in more than false alarms would give; not of too few runs to say so."""
    total = len(tally.findings)
    if not total or false_alarm_p(total, total) >= level:
        return "cannot be told"
    if false_alarm_p(tally.called, total) < level and 2 * tally.called > total:
        return "holds"
    return "does not hold" if tally.excluded else "cannot be told"


def false_alarm_p(called: int, total: int) -> float:
    """How seldom so many runs or more are called where nothing is there."""
    return float(binom.sf(called - 1, total, ALPHA))


def runs_needed(level: float) -> int:
    """Runs that `beyond_chance` takes."""
    return next(total for total in range(1, 100) if false_alarm_p(total, total) < level)


def give_verdict(
    name: ClaimName, group: str, runs: Sequence[Evidence], rule: Rule, sentences: Sequence[str]
) -> Claim:  # fmt: skip
    """The verdict on a claim about single runs: it holds if it does in any homology dimension.

    Args:
        group: the model; empty for a run by itself.
        sentences: what the findings say about it.
    """
    models = (group,) if group else ()
    rounded = sum(run.is_rounding for run in runs) if name != "changed" else 0
    if 2 * rounded > len(runs):
        counted = describe_runs([(-1, rounded, len(runs))]) if group else ""
        return Claim(name, group, models, "is rounding", runs=counted, explanation=ROUNDING, sentences=sentences)
    measured = sorted({k for run in runs for k in run.dimensions}) if name != "changed" else []
    tallies = [_count(name, runs, k) for k in measured or WITHOUT_DIMENSION]
    # Where a dimension has no such number in any run, the others speak.
    tallies = [tally for tally in tallies if tally.findings] or tallies[:1]
    level = ALPHA / len(tallies)
    verdicts = {tally.dimension: rule(tally, level) for tally in tallies}
    ranked = sorted(tallies, key=lambda t: (ORDER.index(verdicts[t.dimension]), -t.called, -np.nan_to_num(t.center[0])))
    best = ranked[0]
    verdict = verdicts[best.dimension]
    counted = (
        describe_runs([(t.dimension, t.called, len(t.findings)) for t in ranked if t.findings]) if group
        else describe_dimensions([k for k, one in verdicts.items() if one == "holds"], len(tallies))
    )  # fmt: skip
    return Claim(
        name, group, models, verdict, *best.center, counted, write_number(name, *best.center, best.dimension),
        "; ".join(_explain(name, best, verdict, rule, level)), sentences,
    )  # fmt: skip


def _explain(name: ClaimName, tally: Tally, verdict: Verdict, rule: Rule, level: float) -> list[str]:
    total = len(tally.findings)
    if not total:
        return [describe_missing(tally.missing)]
    if rule is beyond_chance and total < runs_needed(level):
        parts = [describe_missing([describe_needed_runs(runs_needed(level), total)])]
    elif verdict == "holds":
        parts = [describe_small(LEAST[name])] if tally.excluded and name != "changed" else []
    else:
        many = rule is beyond_chance and false_alarm_p(tally.called, total) < level
        denied = verdict == "does not hold"
        allowed = (
            describe_excluded(name, tally.high) if denied else describe_not_excluded(name, tally.high, LEAST[name])
        )
        parts = [FEW_IN_MOST if many else "", allowed]
    parts.append(explain(name, tally.findings, tally.runs, tally.dimension, verdict))
    return [part for part in parts if part]


def _count(name: ClaimName, runs: Sequence[Evidence], k: int) -> Tally:
    answers = [(run, find_support(name, run, k)) for run in runs]
    able = [(run, support) for run, support in answers if isinstance(support, Finding)]
    missing = [support for _, support in answers if isinstance(support, str)]
    effects = [find_effect(name, run, k) for run, _ in able]
    return Tally(name, k, [finding for _, finding in able], effects, [run for run, _ in able], missing)
