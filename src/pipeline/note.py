"""What a finished run says in words: on the terminal and on its MLflow page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config import SOURCES, Config

if TYPE_CHECKING:
    pass
from ..system.console import show_views

JUDGED = {
    f"{quantity}_{source}": f"{words}, {source}"
    for quantity, words in (
        ("eval_loss", "held-out loss"),
        ("preference_accuracy", "preference accuracy"),
        ("preference_accuracy_per_token", "preference accuracy per token"),
    )
    for source in SOURCES
}
"""Behaviour that is told before and after: its quantity, and what it is called."""


def show_summary(summary: dict[str, Any]) -> None:
    """A short table, the findings that matter most, and how to see the rest."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "before", "after")
    for name, (before, after) in summary["judged"].items():
        table.add_row(JUDGED[name], f"{before:.3f}", f"{after:.3f}")
    table.add_row("checkpoints", "", str(summary["checkpoints"]))
    for dimension, length in summary["path_length"].items():
        table.add_row(f"path length, {dimension}", "", f"{length:.3f}")
    Console().print(table)
    for sentence in summary["headlines"]:
        Console().print(f"- {sentence}", highlight=False, markup=False, soft_wrap=True)
    if summary.get("views"):
        show_views(summary["views"])
    else:
        print("Compare runs in the MLflow UI:  python -m src.ui")


def write_note(config: Config, summary: dict[str, Any]) -> str:
    """Markdown: what the run is, its key figures, what to look at and what to beware of."""
    model, trainer, schedule = config.model, config.trainer, config.schedule
    lines = [
        f"**{model.name}** ({model.stage}) fine-tuned to be **{config.objective.name}**, seed {config.seed}: "
        f"{trainer.max_steps} steps of {trainer.batch_size} dialogues, {config.adapter.kind}, {trainer.lr_schedule} "
        f"learning rate up to {trainer.learning_rate:g}. Topology: {config.tda.name}, {config.tda.metric} distances, "
        f"{config.tda.count_points(config.probe.size)} probes, {config.probe.pooling}-token activations, "
        f"intervals from {config.tda.subsamples} random halves of the probes, excess from {config.tda.null_draws} "
        "random movements of each kind.",
        "",
        "| | before | after |",
        "|---|---|---|",
    ]
    lines += [f"| {JUDGED[name]} | {before:.3f} | {after:.3f} |" for name, (before, after) in summary["judged"].items()]
    lines += [f"| path length, {name} | | {length:.3f} |" for name, length in summary["path_length"].items()]
    lines += [
        "",
        "**Look at** `figures/figures.html` under Artifacts (velocity and excess with their bands, movement, drift "
        "beside losses, Betti curves, diagrams with a slider), the image grid `diagrams`, and the charts "
        "`velocity/H1`, `excess/H1` and `drift/H1`. "
        f"Velocity is measured over {schedule.lag} step(s) everywhere; `naive_velocity` divides by the steps between "
        "checkpoints and falls as they spread out, whatever the model does.",
    ]
    if summary["findings"]:
        lines += ["", "**Findings** (mean over the blocks)", "", *(f"- {sentence}" for sentence in summary["findings"])]
    return "\n".join(lines)
