"""From runs to verdicts."""

from __future__ import annotations

import pytest

from src.findings.claim import Verdict
from src.findings.finding import Finding
from src.findings.verdicts import Tally, beyond_chance, false_alarm_p, in_most, runs_needed
from src.statistics import ALPHA


def tally(called: int, runs: int, k: int = 1) -> Tally:
    return Tally(k, [Finding(1.0, called=n < called) for n in range(runs)], [], [])


@pytest.mark.parametrize(
    ("called", "runs", "verdict"),
    [
        (0, 0, "cannot be told"),
        (1, 1, "cannot be told"),  # one in twenty is called where nothing is there
        (0, 1, "cannot be told"),
        (2, 2, "holds"),
        (1, 2, "does not hold"),  # half of them are not most
        (2, 9, "does not hold"),
        (4, 9, "does not hold"),  # beyond chance, but not in most
        (5, 9, "holds"),
    ],
)
def test_a_claim_holds_in_most_runs_and_beyond_false_alarms(called: int, runs: int, verdict: Verdict) -> None:
    assert beyond_chance(tally(called, runs), ALPHA / 2) == verdict


def test_false_alarms_are_those_of_a_binomial() -> None:
    assert false_alarm_p(0, 5) == 1
    assert false_alarm_p(2, 2) == pytest.approx(ALPHA**2)
    assert false_alarm_p(1, 3) == pytest.approx(1 - (1 - ALPHA) ** 3)
    assert [runs_needed(level) for level in (0.06, ALPHA, ALPHA**2)] == [1, 2, 3]


def test_what_is_not_concluded_from_holds_in_one_run_as_well() -> None:
    assert [in_most(tally(called, 1), ALPHA) for called in (0, 1)] == ["does not hold", "holds"]
    assert in_most(tally(0, 0), ALPHA) == "cannot be told"


def test_the_number_of_several_runs_is_their_mean_where_errors_are_alike() -> None:
    ratios = Tally(1, [Finding(1.0), Finding(4.0)], [], [])
    value, low, high = ratios.center
    assert value == pytest.approx(2)
    assert low * high == pytest.approx(value**2)
    shares = Tally(-1, [Finding(0.5), Finding(1.0)], [], [])
    assert shares.center == pytest.approx((0.75, 0.0, 1.0))
    assert Tally(1, [Finding(3.0, 2.0, 5.0)], [], []).center == (3.0, 2.0, 5.0)
