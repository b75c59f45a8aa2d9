"""The controls in a short, seeded form; `python -m tests.validity` runs them in full.

So few trials may miss a rate by bad luck; what is asked here is that they do not refute it.
"""

from __future__ import annotations

import pytest

from tests.validity.controls import CONTROLS, collect, run_trial

TRIALS = {
    "walk": 3, "walk_rank10": 3, "burst": 3, "learning_rate": 2, "displacement": 2, "rigid": 2, "interval": 12,
    "random_256x128_isotropic_even": 8, "random_256x128_rank10_uneven": 8, "random_256x2048_isotropic_even": 8,
    "smooth_256x128": 8, "rounding": 12, "update_tiny": 3, "clusters_contract": 3, "outliers": 3,
    "nearest_neighbours_attract": 3, "nearest_neighbours_repel": 3, "one_cluster": 4, "loop_opens": 4,
    "shuffled": 4, "two_objectives": 3, "seeds": 8, "explained": 3,
    "divergence_one_cluster": 4, "divergence_loop_opens": 4, "other_neighbour": 4, "gap_moves": 4,
    "birth_layer": 8, "no_birth_layer": 8, "loop_closes": 8, "no_change": 20, "small_change": 3,
    "correlated_dense_early": 12, "correlated_every_2": 12, "correlated_every_5": 12, "declines_quiet_1.3": 6,
    "declines_quiet_2": 6, "declines_loud_2": 6, "burst_of_two": 6, "early_excess_quiet": 4, "level_excess": 8,
    "stop_level_quiet": 4, "stop_decline_quiet": 4, "stop_walk": 4,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIALS)
def test_what_was_planted_is_found_and_nothing_else(name: str) -> None:
    results = collect([run_trial(name, number) for number in range(TRIALS[name])])
    answers = list(CONTROLS[name].assess(results))
    assert answers
    assert [answer.message for answer in answers if answer.refuted] == []
