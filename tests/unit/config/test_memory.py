"""What a diagram, and copies of the weights, will take of memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.config import memory
from src.config.memory import (
    count_weight_copies,
    diagram_memory_gb,
    max_points,
    memory_shortage,
    weight_copies_shortage,
)
from src.config.schedule import Schedule
from tests.support.builders import RIPS


def test_memory_grows_with_points_and_dimension_and_says_what_fits() -> None:
    for k in (0, 1, 2):
        fit = max_points(4.0, k)
        assert diagram_memory_gb(fit, k) <= 4.0 < diagram_memory_gb(fit + 1, k)
    assert max_points(4.0, 2) < max_points(4.0, 1) < max_points(4.0, 0)


def test_copies_of_the_weights_are_counted_where_pairs_overlap() -> None:
    apart, overlapping = Schedule((0, 4, 8), 2, 1), Schedule((0, 1, 2, 9), 3, 1)
    assert count_weight_copies(apart, RIPS) == 3
    assert count_weight_copies(overlapping, RIPS) == 5
    assert count_weight_copies(overlapping, replace(RIPS, weight_steps=[0, 9])) == 3


def test_what_does_not_fit_into_free_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory_gb", lambda: 8.0)
    schedule, tda = Schedule((0, 4), 1, 1), replace(RIPS, weight_draws=5)
    assert list(weight_copies_shortage(schedule, tda, 2.6)) == []
    (problem,) = weight_copies_shortage(schedule, tda, 2.7)
    assert problem.startswith("tda.weight_draws=5: with adapter=full 3 copies")
    assert "8.1 GiB, and 8.0 GiB of memory are free" in problem


def test_topology_divergence_takes_diagrams_of_twice_the_points() -> None:
    gb = diagram_memory_gb(400, 1) * 2
    tda = replace(RIPS, workers=1, max_memory_gb=gb)
    (problem,) = memory_shortage(tda, 400)
    assert problem.startswith("tda.rtd_points=512: topology divergence of 400 points is H1 of 800")
    assert "set it below 400 to leave that out" in problem
    assert list(memory_shortage(replace(tda, rtd_points=399), 400)) == []
