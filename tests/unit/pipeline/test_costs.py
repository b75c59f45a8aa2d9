"""The table of where the time went."""

from __future__ import annotations

from src.pipeline.costs import PARTS, describe_costs


def test_every_part_has_its_seconds_and_its_share() -> None:
    costs = {f"cost/{name}": float(n) for n, name in enumerate(PARTS.values())}
    lines = describe_costs(costs | {"cost/tokens_per_second": 1e6}).splitlines()
    assert [line.split() for line in lines[1:3]] == [["training", "0.0", "s", "0.0%"], ["capture", "1.0", "s", "10.0%"]]
    assert lines[-1].split() == ["waiting", "for", "topology", "4.0", "s", "40.0%"]


def test_a_run_that_took_no_time_has_a_table() -> None:
    assert "0.0%" in describe_costs({f"cost/{name}": 0.0 for name in PARTS.values()})
