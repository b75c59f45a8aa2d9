"""Where the time of a run went, in one table."""

from __future__ import annotations

from collections.abc import Mapping

PARTS = {
    "training": "train_seconds",
    "capture": "capture_seconds",
    "behaviour": "behavior_seconds",
    "handing out jobs": "blocked_seconds",
    "waiting for topology": "waiting_seconds",
}
"""What a run does one after the other, and the metric under `cost/` that counts its seconds."""


def describe_costs(costs: Mapping[str, float]) -> str:
    """Seconds and shares of what a run did, a line each.

    Args:
        costs: metrics by key, of all starts of a run.
    """
    seconds = {part: costs[f"cost/{name}"] for part, name in PARTS.items()}
    total = sum(seconds.values())
    width = max(map(len, PARTS))
    lines = [
        f"  {part:<{width}} {value:9.1f} s {value / total if total else 0:6.1%}" for part, value in seconds.items()
    ]
    return "\n".join(["where the time went:", *lines])
