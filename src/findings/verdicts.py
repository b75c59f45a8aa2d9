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
from .finding import Finding
from .support import explain, find_support
from .wording.claims import (
    FEW_IN_MOST,
    ROUNDING,
    describe_dimensions,
    describe_missing,
    describe_needed_runs,
    describe_runs,
    write_number,
)

WITHOUT_DIMENSION = (-1,)
ORDER: tuple[Verdict, ...] = ("holds", "does not hold", "cannot be told")
"""Which homology dimension a verdict is taken from: the one that speaks for the claim most."""


@dataclass(frozen=True)
class Tally:
    """What several runs say about a claim in one homology dimension."""

    dimension: int
    """-1: none"""
    findings: Sequence[Finding]
    """of the runs that can tell"""
    runs: Sequence[Evidence]
    """the same runs"""
    missing: Sequence[str]
    """what the others lack"""

    @property
    def called(self) -> int:
        return sum(finding.called for finding in self.findings)

    @cached_property
    def center(self) -> tuple[float, float, float]:
        """The value of one run with its bounds; of several the mean and its 95 % bounds by Student's t."""
        if not self.findings:
            return (math.nan,) * 3
        if len(self.findings) == 1:
            return self.findings[0].value, self.findings[0].low, self.findings[0].high
        values = np.array([finding.value for finding in self.findings])
        shares = self.dimension < 0  # of the blocks; all else are ratios
        logs = values if shares else np.log(values)
        center, half_width = float(logs.mean()), quantile(len(logs)) * float(logs.std(ddof=1)) / math.sqrt(len(logs))
        if shares:
            return center, max(0.0, center - half_width), min(1.0, center + half_width)
        return math.exp(center), math.exp(center - half_width), math.exp(center + half_width)


Rule = Callable[[Tally, float], Verdict]
"""From a tally and the level of a test to a verdict."""


def in_most(tally: Tally, level: float) -> Verdict:
    """In more than half of the runs, without regard to chance: nothing is concluded from these runs to others."""
    return (
        "cannot be told"
        if not tally.findings
        else "holds"
        if 2 * tally.called > len(tally.findings)
        else "does not hold"
    )


def beyond_chance(tally: Tally, level: float) -> Verdict:
    """In more than half of the runs, and in more than false alarms would give; not of too few runs to say so."""
    total = len(tally.findings)
    if not total or false_alarm_p(total, total) >= level:
        return "cannot be told"
    return "holds" if false_alarm_p(tally.called, total) < level and 2 * tally.called > total else "does not hold"


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
    parts = []
    if verdict == "cannot be told":
        few = [describe_needed_runs(runs_needed(level), len(tally.findings))] if tally.findings else tally.missing
        parts.append(describe_missing(few))
    elif (
        verdict == "does not hold"
        and rule is beyond_chance
        and false_alarm_p(tally.called, len(tally.findings)) < level
    ):
        parts.append(FEW_IN_MOST)
    if tally.findings:
        parts.append(explain(name, tally.findings, tally.runs, tally.dimension, verdict))
    return [part for part in parts if part]


def _count(name: ClaimName, runs: Sequence[Evidence], k: int) -> Tally:
    answers = [(run, find_support(name, run, k)) for run in runs]
    able = [(run, support) for run, support in answers if isinstance(support, Finding)]
    missing = [support for _, support in answers if isinstance(support, str)]
    return Tally(k, [finding for _, finding in able], [run for run, _ in able], missing)
