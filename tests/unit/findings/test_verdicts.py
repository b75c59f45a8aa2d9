"""From runs to verdicts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from src.findings.claim import Verdict
from src.findings.finding import Finding
from src.findings.verdicts import Tally, beyond_chance, false_alarm_p, in_most, runs_needed
from src.statistics import ALPHA

WIDE = (0.5, 2.0)
"""Ratios of runs whose mean may be anything."""
NARROW = (1.0, 1.1)


def tally(called: int, runs: int, ratios: tuple[float, float] = NARROW) -> Tally:
    findings = [Finding(ratios[n % 2], called=n < called) for n in range(runs)]
    return Tally("early", 1, findings, findings, [], [])


@pytest.mark.parametrize(
    ("called", "runs", "ratios", "verdict"),
    [
        (0, 0, NARROW, "cannot be told"),
        (1, 1, NARROW, "cannot be told"),  # one in twenty is called where nothing is there
        (0, 1, NARROW, "cannot be told"),
        (2, 2, NARROW, "holds"),
        (2, 2, WIDE, "holds"),
        (1, 3, NARROW, "does not hold"),
        (0, 3, WIDE, "cannot be told"),
        (0, 2, NARROW, "cannot be told"),  # two runs bound their mean by thirteen standard errors
        (2, 9, NARROW, "does not hold"),
        (4, 9, NARROW, "does not hold"),  # beyond chance, but not in most
        (4, 9, WIDE, "cannot be told"),
        (5, 9, NARROW, "holds"),
    ],
)
def test_a_claim_holds_beyond_false_alarms_and_does_not_where_bounds_exclude_it(
    called: int, runs: int, ratios: tuple[float, float], verdict: Verdict
) -> None:
    assert beyond_chance(tally(called, runs, ratios), ALPHA / 2) == verdict


def test_false_alarms_are_those_of_a_binomial() -> None:
    assert false_alarm_p(0, 5) == 1
    assert false_alarm_p(2, 2) == pytest.approx(ALPHA**2)
    assert false_alarm_p(1, 3) == pytest.approx(1 - (1 - ALPHA) ** 3)
    assert [runs_needed(level) for level in (0.06, ALPHA, ALPHA**2)] == [1, 2, 3]


def test_what_is_not_concluded_from_holds_in_one_run_as_well() -> None:
    for high, verdict in ((1.4, "does not hold"), (1.6, "cannot be told"), (math.nan, "cannot be told")):
        one = Finding(1.0, 0.9, high)
        assert in_most(Tally("early", 1, [one], [one], [], []), ALPHA) == verdict
        assert in_most(Tally("early", 1, [replace(one, called=True)], [one], [], []), ALPHA) == "holds"
    assert in_most(tally(0, 0), ALPHA) == "cannot be told"


def test_activations_did_not_change_only_where_nothing_moved_beyond_rounding() -> None:
    for moved, verdict in (([0.0, 0.0, 0.5], "does not hold"), ([0.0, 0.5, 0.5], "cannot be told")):
        still = [Finding(0.0)] * len(moved)
        assert in_most(Tally("changed", -1, still, [Finding(share) for share in moved], [], []), ALPHA) == verdict


def test_the_number_of_several_runs_is_their_mean_where_errors_are_alike() -> None:
    ratios = Tally("early", 1, [Finding(1.0), Finding(4.0)], [], [], [])
    value, low, high = ratios.center
    assert value == pytest.approx(2)
    assert low * high == pytest.approx(value**2)
    shares = Tally("changed", -1, [Finding(0.5), Finding(1.0)], [], [], [])
    assert shares.center == pytest.approx((0.75, 0.0, 1.0))
    assert Tally("peak", 1, [Finding(3.0, 2.0, 5.0)], [], [], []).center == (3.0, 2.0, 5.0)
