"""Inputs at random in a short form; `python -m tests.faults dialogues overrides` runs them in full."""

from __future__ import annotations

import pytest

from tests.faults.__main__ import INPUTS
from tests.faults.inputs import run_trials

TRIALS = {"dialogues": 200, "overrides": 100}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIALS)
def test_inputs_at_random_end_in_a_right_result_or_one_clear_message(name: str) -> None:
    tally = run_trials(INPUTS[name][2], TRIALS[name], seed=10_000)
    assert tally.other == []
    assert tally.trials == TRIALS[name]
    assert min(tally.right, tally.refused) > TRIALS[name] // 20, "both ends are reached"
