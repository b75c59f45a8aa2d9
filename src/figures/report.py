"""The report of a comparison: which figures, tables and sentences, in which order."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..findings import Claim, sentences
from ..findings.twins import twin_models
from ..metrics.selection import dimensions_of, is_measured
from ..system.words import count_of
from .claims import RULES, draw_claims, show_claims, tabulate_claims
from .comparison import Runs, draw_depth, draw_grid, draw_twins, models_of
from .diagrams import MAX_STEPS, Diagrams, diagrams_script, show_diagrams
from .interactive import show_figure
from .page import Section, assemble
from .panels import Figure
from .picture import draw_png
from .plane import draw_against, draw_plane
from .tables import (
    Gaps,
    GroupFindings,
    RunFindings,
    fold,
    list_of,
    show_gaps,
    show_group_findings,
    show_groups,
    show_run_findings,
    show_runs,
    show_settings,
)

SEPARABILITY = ("separability", "dispersion", "seed_accuracy")
"""Beginnings of the names of findings that stand beside the plane."""
COMPLEMENT = ("complementarity", "r2")
EXPLAINING = (
    "separability_f",
    "separability_r2",
    "dispersion_f",
    "seed_accuracy_chance",
    "r2_self",
    "r2_behavior",
    "r2_geometry",
)
"""Findings that are numbers of another finding's statement."""


@dataclass(frozen=True)
class Report:
    """What a comparison leaves: files, words, and a table for the terminal."""

    head: str
    page: str
    """HTML"""
    pictures: Mapping[str, bytes]
    """File name -> PNG"""
    sentences: Sequence[str]
    claims: tuple[Sequence[str], Sequence[Sequence[str]]]
    """Titles and rows of the table of claims; no row where nothing is claimed."""
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    ids: Sequence[str]
    """MLflow runs that it is about"""


@dataclass(frozen=True)
class Comparison:
    """Everything that a report shows."""

    name: str
    runs: Runs
    ids: Sequence[str]
    """Their MLflow runs."""
    group_findings: GroupFindings
    claims: Sequence[Claim]
    run_findings: Mapping[str, RunFindings]
    """By name of the run."""
    gaps: Gaps
    settings: Mapping[str, Mapping[str, Sequence[str]]]
    """Setting -> value -> runs, for what they do not have in common."""
    limits: Sequence[str] = ()
    """What the comparison had to do without."""
    diagrams: Mapping[str, Diagrams] = field(default_factory=dict)
    """Of one run a cell, by its name."""

    @property
    def dimensions(self) -> list[int]:
        """Homology dimensions that every run has, highest first."""
        measured = [set(dimensions_of(run.table, "velocity")) for run in self.runs]
        return sorted(set.intersection(*measured), reverse=True)

    @property
    def sentences(self) -> list[str]:
        """What is found across the runs, and what limits it."""
        return [*self.limits, *to_sentences(self.group_findings)]


def to_sentences(found: GroupFindings) -> list[str]:
    """Findings across runs in words, each statement once; what only explains another one's number is left out."""
    message = dict.fromkeys(finding.sentence for (name, _), finding in found.items() if name not in EXPLAINING)
    return [sentence for sentence in message if sentence]


def draw_comparison(comparison: Comparison) -> list[Figure]:
    """Every figure of the report that is a picture as well.

    Raises:
        ValueError: if the runs share no checkpoint.
    """
    runs, dimensions = comparison.runs, comparison.dimensions
    measured = {k for k in dimensions if all(is_measured(run.table, "excess", k) for run in runs)}
    return [
        *draw_claims(runs, dimensions),
        draw_plane(runs),
        *(draw_grid(runs, k) for k in dimensions),
        *(draw_depth(runs, k) for k in dimensions if k in measured),
        *(draw_twins(runs, number, *pair, dimensions) for number, pair in enumerate(twin_models(runs), start=1)),
        draw_against(runs, dimensions[0]),
    ]


def render_comparison(comparison: Comparison) -> Report:
    """The report of several runs.

    Raises:
        ValueError: if the runs share no checkpoint.
    """
    figures = draw_comparison(comparison)
    rows = [
        [run.model, run.objective, str(run.seed), run_id]
        for run, run_id in zip(comparison.runs, comparison.ids, strict=True)
    ]
    rows += [[model, objective, str(seed), why] for (model, objective, seed), why in comparison.gaps.items()]
    missing = f", {len(comparison.gaps)} of the grid not there" if comparison.gaps else ""
    return Report(
        f"{count_of(len(comparison.runs), 'run')}{missing}", write_report(comparison, figures),
        {f"{figure.name}.png": draw_png(figure) for figure in figures}, comparison.sentences,
        tabulate_claims(comparison.claims, models_of(comparison.runs)),
        ["model", "objective", "seed", "MLflow run"], rows, comparison.ids,
    )  # fmt: skip


def write_report(comparison: Comparison, figures: Sequence[Figure]) -> str:
    """The report as one HTML page."""
    across, pairs = comparison.group_findings, twin_models(comparison.runs)
    beside = {"trajectories": _numbers_and_sentences(_choose(across, SEPARABILITY))}
    below = {"against": _numbers_and_sentences(_choose(across, COMPLEMENT))}
    for number, pair in enumerate(pairs, start=1):
        group = " / ".join(pair)
        below[f"twins_{number}"] = show_group_findings(
            {key: finding for key, finding in across.items() if key[1] == group}
        )
    shown = []
    for figure in figures:
        section = show_figure(figure, beside.get(figure.name, ""))
        shown.append(replace(section, body=section.body + below.get(figure.name, "")))
    if not pairs:
        message = "No model here is the instruct twin of another."
        shown.append(Section("twins", "Twins", message, ""))
    sections = [_claims(comparison), *shown]
    if comparison.diagrams:
        sections.append(show_diagrams(comparison.diagrams, _choice_of_diagrams(comparison)))
    sections += [_findings(comparison), _origin(comparison)]
    script = diagrams_script() if comparison.diagrams else ""
    return assemble(f"Comparison: {comparison.name}", sections, contents=True, script=script)


def _choice_of_diagrams(comparison: Comparison) -> str:
    """Which diagrams the page has, in words."""
    cells = {(run.model, run.objective) for run in comparison.runs}
    seeds = "" if len(cells) == len(comparison.runs) else "Of each cell the run with the lowest seed. "
    return f"{seeds}At most {MAX_STEPS} checkpoints of each run, evenly chosen, first and last among them."


def _choose(found: GroupFindings, beginnings: tuple[str, ...]) -> GroupFindings:
    return {key: finding for key, finding in found.items() if key[0].startswith(beginnings)}


def _numbers_and_sentences(found: GroupFindings) -> str:
    """Numbers by group of runs, and what counts in words."""
    return show_groups(found) + fold(to_sentences(found))


def _claims(comparison: Comparison) -> Section:
    limits = "".join(f"<p>{html.escape(limit)}</p>" for limit in comparison.limits)
    return Section("verdicts", "Which claims hold?", RULES, show_claims(comparison.claims, comparison.runs) + limits)


def _findings(comparison: Comparison) -> Section:
    parts = [show_group_findings(comparison.group_findings)]
    for k in comparison.dimensions:
        parts += [f"<h3>Each run for itself, H{k}</h3>", show_run_findings(comparison.run_findings, k)]
    every = "".join(
        f"<h3>{html.escape(name)}</h3>{list_of(sentences(dict(finding)))}"
        for name, finding in comparison.run_findings.items()
    )
    parts.append(f"<details><summary>Every run in sentences</summary>{every}</details>")
    return Section(
        "findings", "Every finding", "First across the runs, then run by run; bold: called by its own rule, beyond "
        "chance. Where a finding has no number, its sentence says what is missing.", "".join(parts),
    )  # fmt: skip


def _origin(comparison: Comparison) -> Section:
    parts = ["<h3>The grid</h3>", show_gaps(comparison.runs, comparison.gaps)]
    if comparison.settings:
        parts += ["<h3>Settings that differ</h3>", show_settings(comparison.settings)]
    parts += ["<h3>The runs</h3>", show_runs(comparison.runs, comparison.ids)]
    return Section(
        "runs", "Runs, gaps, settings", "Which cells there are, which are missing or failed and why.", "".join(parts)
    )
