"""What a run says in words: when it starts and when it is done, on the terminal and on its MLflow page."""

from __future__ import annotations

from typing import Any

from ..config import SOURCES, Config, ModelConfig
from ..config.schedule import lag_of
from ..config.schema import RANDOM
from ..config.track import ARRAYS, CALLBACK, UNTRAINED, TrackConfig, name_steps
from ..system.console import show_views
from ..system.invocation import command_line
from ..system.words import count_of

BEFORE_AFTER = {
    f"{quantity}_{source}": f"{words}, {source}"
    for quantity, words in (
        ("eval_loss", "held-out loss"),
        ("preference_accuracy", "preference accuracy"),
        ("preference_accuracy_per_token", "preference accuracy per token"),
    )
    for source in SOURCES
}
"""Behaviour that is reported before and after training: its quantity, and what it is called."""


def describe_start(config: Config, checkpoints: int, saved: int | None) -> str:
    """What is about to happen, in one line; `saved`: the step that an earlier start came to."""
    tda, default = config.tda, ModelConfig().draws
    drawn = (
        "" if tda.transformer is None or (tda.subsamples, tda.null_draws) == (default, default)
        else f"; {tda.subsamples} subsamples and {tda.null_draws} null draws "
        f"(tda.subsamples={default} tda.null_draws={default} measures as finely as is usual)"
    )  # fmt: skip
    resumed = "" if saved is None else f", going on from step {saved}"
    steps = count_of(config.trainer.max_steps, "step")
    return f"{count_of(checkpoints, 'checkpoint')} in {steps}{drawn}{resumed}"


def show_summary(summary: dict[str, Any]) -> None:
    """A short table, the findings that matter most, and how to see the rest."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "before", "after")
    # An earlier version called it `judged`.
    for name, (before, after) in summary.get("before_after", summary.get("judged", {})).items():
        table.add_row(BEFORE_AFTER[name], _show(before), _show(after))
    table.add_row("checkpoints", "", str(summary["checkpoints"]))
    for dimension, length in summary["path_length"].items():
        table.add_row(f"path length, {dimension}", "", f"{length:.3f}")
    Console().print(table)
    for sentence in summary["headlines"]:
        Console().print(f"- {sentence}", highlight=False, markup=False, soft_wrap=True)
    if summary.get("stopped"):
        Console().print(f"- Stopped: {summary['stopped']}", highlight=False, markup=False, soft_wrap=True)
    if summary.get("missing"):
        Console().print(f"- Missing: {summary['missing']}", highlight=False, markup=False, soft_wrap=True)
    if summary.get("views"):
        show_views(summary["views"])
    else:
        print(f"Compare runs in the MLflow UI:  {command_line('ui')}")


def _show(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _describe_training(config: Config, last_step: int | None) -> str:
    """The model and what was done to it; `last_step`: the last one that was seen of a training that ended early."""
    model, trainer = config.model, config.trainer
    if not isinstance(config, TrackConfig):
        taken = "" if last_step is None else f"{last_step} of "
        return (
            f"**{model.name}** ({model.stage}) fine-tuned to be **{config.objective.name}**, seed {config.seed}: "
            f"{taken}{count_of(trainer.max_steps, 'step')} of {count_of(trainer.batch_size, 'dialogue')}, "
            f"{config.adapter.kind}, {trainer.lr_schedule} learning rate up to {trainer.learning_rate:g}."
        )
    track = config.track
    objective = "" if config.objective.name == UNTRAINED else f", objective **{config.objective.name}**"
    if track.source == CALLBACK:
        origin = f"measured while another trainer took {count_of(trainer.max_steps, 'step')}"
        if last_step is not None:
            origin = f"measured while another trainer trained, up to step {last_step} of {trainer.max_steps}"
    elif track.source == ARRAYS:
        origin = f"{count_of(len(track.steps), 'state')} given as arrays, {name_steps(track.steps)}"
    else:
        origin = f"{count_of(len(track.steps), 'saved state')} ({track.source}), {name_steps(track.steps)}"
    reference = ""
    if track.steps and 0 not in track.steps:
        reference = f" The series has no step 0: what is said of it here is of its first checkpoint, {track.steps[0]}."
    stage = "" if track.source == ARRAYS else f" ({model.stage})"
    return f"**{model.name}**{stage}{objective}: {origin}.{reference}"


def _describe_points(config: Config, points: int) -> str:
    """How many points a cloud has, and what each of them is."""
    if isinstance(config, TrackConfig) and config.track.source == ARRAYS:
        return f"{points} probes, a row of the arrays each"
    return f"{points} probes, {config.probe.pooling}-token activations"


def write_note(config: Config, summary: dict[str, Any]) -> str:
    """Markdown: what the run answers, what it is, its key figures, what to look at and what to beware of."""
    schedule = config.schedule
    draws, points = config.tda.weight_draws, config.tda.count_points(config.probe.size)
    updates = f", at some checkpoints from {draws} random updates of the trained weights" if draws else ""
    lines = [f"- **{question}** {answer}" for question, answer in summary["answers"]]
    if config.model.weights == RANDOM:
        lines = [
            f"**Random weights**: no weights of `{config.model.path}` were read. What stands here says what such a run "
            "takes and that it works, and nothing of that model.",
            "",
            *lines,
        ]
    lines += [
        *([""] if lines else []),
        f"{_describe_training(config, summary.get('last_step'))} "
        f"Topology: {config.tda.name}, {config.tda.metric} distances, "
        f"{_describe_points(config, points)}, "
        f"intervals from {config.tda.subsamples} random halves of the probes, excess from {config.tda.null_draws} "
        f"equally smooth random movements and as many of independent points{updates}.",
        "",
        "| | before | after |",
        "|---|---|---|",
    ]
    lines += [
        f"| {BEFORE_AFTER[name]} | {_show(before)} | {_show(after)} |"
        for name, (before, after) in summary["before_after"].items()
    ]
    lines += [f"| path length, {name} | | {length:.3f} |" for name, length in summary["path_length"].items()]
    lines += [
        "",
        "**Look at** `figures/figures.html` under Artifacts (velocity and excess with their bands, movement, drift "
        "beside losses, Betti curves, diagrams with a slider), the image grid `diagrams`, and the charts "
        "`velocity/H1`, `excess/H1` and `drift/H1`. "
        f"Velocity is measured over {count_of(lag_of(schedule), 'step')} everywhere; `naive_velocity` divides by "
        "the steps between checkpoints and falls as they spread out, whatever the model does.",
    ]
    if summary["trained"]:
        lines += ["", f"**Trained**: {summary['trained']}."]
    if summary.get("stopped"):
        lines += ["", f"**Stopped**: {summary['stopped']}."]
    if summary.get("missing"):
        lines += ["", f"**Missing**: {summary['missing']}."]
    if config.adapter.resume is not None:
        lines += [
            "",
            f"**Start**: step 0 is the model with the adapter `{config.adapter.resume}` (`{config.adapter.content}`), "
            "which training went on from. What is measured against step 0, and `kl_to_base`, is against that, not "
            "against the model without an adapter.",
        ]
    if config.tda.is_plain_rips and 0 < config.tda.rtd_points < points:
        lines += [
            "",
            f"**Left out**: topology divergence from step 0 (`rtd`). It takes diagrams of twice the {points} points, "
            f"and the limit is `tda.rtd_points={config.tda.rtd_points}`.",
        ]
    if draws and not summary["weight_steps"]:
        lines += [
            "",
            f"**Beware**: no excess against random updates of the trained weights (`tda.weight_draws={draws}`) "
            "could be measured: where they would have been made, the weights or the "
            "points did not move, or the points moved too far for a null.",
        ]
    if summary["findings"]:
        lines += ["", "**Findings** (mean over the blocks)", "", *(f"- {sentence}" for sentence in summary["findings"])]
    if summary["sensitivity"]:
        lines += ["", f"**Does it hang on how it was measured?** {summary['sensitivity']}"]
    return "\n".join(lines)
