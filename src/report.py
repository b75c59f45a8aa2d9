"""What a finished run shows on the terminal."""

from __future__ import annotations

from typing import Any


def show_summary(summary: dict[str, Any]) -> None:
    """A short table, what to beware of, and how to see the rest."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "before", "after")
    for name, (before, after) in summary["losses"].items():
        table.add_row(name.replace("eval_loss_", "held-out loss, "), f"{before:.3f}", f"{after:.3f}")
    table.add_row("checkpoints", "", str(summary["checkpoints"]))
    for dimension, length in summary["path_length"].items():
        table.add_row(f"path length, {dimension}", "", f"{length:.3f}")
    Console().print(table)
    below, total = summary["velocities_below_floor"], summary["velocities"]
    if below:
        print(
            f"{below} of {total} velocities are below 3 x the rounding floor, that is, not distinguishable from "
            "rounding: raise schedule.lag, or set probe.precision=float32"
        )
    print("Compare runs in the MLflow UI:  python -m src.ui")
