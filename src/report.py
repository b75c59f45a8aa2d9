"""What a finished run says in words: on the terminal and on its MLflow page."""

from __future__ import annotations

from typing import Any

from .config import Config

NEAR_FLOOR = (
    "{velocities_below_floor} of {velocities} velocities are below 3 x the rounding floor, that is, not to be told "
    "from rounding: raise schedule.lag, or set probe.precision=float32"
)


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
    if summary["velocities_below_floor"]:
        print(NEAR_FLOOR.format(**summary))
    print("Compare runs in the MLflow UI:  python -m src.ui")


def write_note(config: Config, summary: dict[str, Any]) -> str:
    """Markdown: what the run is, its key figures, what to look at and what to beware of."""
    model, trainer, schedule = config.model, config.trainer, config.schedule
    lines = [
        f"**{model.name}** ({model.stage}) fine-tuned to be **{config.objective.name}**, seed {config.seed}: "
        f"{trainer.max_steps} steps of {trainer.batch_size} dialogues, {config.adapter.kind}, {trainer.lr_schedule} "
        f"learning rate up to {trainer.learning_rate:g}. Topology: {config.tda.name}, {config.tda.metric} distances, "
        f"{config.tda.points or config.probe.size} probes, {config.probe.pooling}-token activations.",
        "",
        "| | before | after |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name.replace('eval_loss_', 'held-out loss, ')} | {before:.3f} | {after:.3f} |"
        for name, (before, after) in summary["losses"].items()
    ]
    lines += [f"| path length, {name} | | {length:.3f} |" for name, length in summary["path_length"].items()]
    lines += [
        "",
        f"**Look at** `figures/figures.html` under Artifacts (velocity by block, drift beside losses, Betti curves, "
        "diagrams with a slider), the image grid `diagrams`, and the charts `velocity/H1` and `drift/H1`. "
        f"Velocity is measured over {schedule.lag} step(s) everywhere; `naive_velocity` divides by the steps between "
        "checkpoints and falls as they spread out, whatever the model does.",
    ]
    if summary["velocities_below_floor"]:
        lines += ["", f"**Beware:** {NEAR_FLOOR.format(**summary)}."]
    return "\n".join(lines)
