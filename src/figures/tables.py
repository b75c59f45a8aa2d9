"""Tables of a page as HTML, everything from data escaped: findings, runs, the grid and its gaps."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence

from ..findings import Finding, Tracked
from ..metrics.selection import steps_of
from .comparison import Runs, models_of, objectives_of

GroupFindings = Mapping[tuple[str, str], Finding]
"""Findings by name and group of runs."""
RunFindings = Mapping[tuple[str, int], Finding]
Gaps = Mapping[tuple[str, str, int], str]
"""Model, objective, seed -> why there is no finished run."""
Cell = str | tuple[str, str]
"""Text of a table's cell, or the class it is shown in and its text."""
TABLE_FINDINGS = (
    "peak_ratio", "naive_peak_ratio", "peak_explained_by", "early_share", "excess_early", "excess_late", "excess_share",
    "stabilisation_step",
)  # fmt: skip
"""Findings of a single run that are listed."""


def table_of(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table without its empty columns; cells are plain text, or text with the class it is shown in."""
    rows = list(rows)
    kept = [place for place in range(len(head)) if any(_text(row[place]) for row in rows)]
    if not kept:
        return ""
    top = "".join(f"<th>{html.escape(head[place])}</th>" for place in kept)
    body = "".join(f"<tr>{''.join(_cell(row[place]) for place in kept)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(cell: Cell) -> str:
    return cell[1] if isinstance(cell, tuple) else cell


def _cell(cell: Cell) -> str:
    shown_as = cell[0] if isinstance(cell, tuple) else ""
    return f'<td class="{shown_as}">{html.escape(_text(cell))}</td>'


def list_of(sentences: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(sentence)}</li>' for sentence in sentences)}</ul>"


def fold(sentences: Sequence[str]) -> str:
    """The list behind a line that opens it; nothing for none."""
    return (
        f"<details><summary>In sentences ({len(sentences)})</summary>{list_of(sentences)}</details>"
        if sentences
        else ""
    )


def write_number(value: float) -> str:
    """Three significant digits; nothing where there is no number."""
    return f"{value:.3g}" if math.isfinite(value) else ""


def write_bounds(finding: Finding) -> str:
    if not (math.isfinite(finding.low) and math.isfinite(finding.high)):
        return ""
    return f"{write_number(finding.low)} to {write_number(finding.high)}"


def show_group_findings(found: GroupFindings) -> str:
    """One row per finding: of which runs, what, value, interval, whether it is called, and its sentence."""
    rows: list[list[Cell]] = [
        [
            group, name.replace("_", " "), ("number", write_number(finding.value)), ("number", write_bounds(finding)),
            ("called", "yes") if finding.called else "", ("prose", finding.sentence.removeprefix(f"{group}: ")),
        ]
        for (name, group), finding in found.items()
    ]  # fmt: skip
    return table_of(["runs", "finding", "value", "95 %", "beyond chance", "in words"], rows)


def show_groups(found: GroupFindings) -> str:
    """One row per finding that has a number, one column per group of runs."""
    names = list(dict.fromkeys(name for (name, _), finding in found.items() if math.isfinite(finding.value)))
    groups = list(dict.fromkeys(group for _, group in found))
    rows: list[list[Cell]] = [
        [name.replace("_", " "), *(_value_cell(found.get((name, group))) for group in groups)] for name in names
    ]
    return table_of(["", *groups], rows)


def show_run_findings(found: Mapping[str, RunFindings], dimension: int, head: str = "run") -> str:
    """One row per run, or per way of measuring one, with its own findings and their intervals."""
    names = [name for name in TABLE_FINDINGS if any((name, dimension) in findings for findings in found.values())]
    rows: list[list[Cell]] = [
        [label, *(_value_cell(findings.get((name, dimension))) for name in names)] for label, findings in found.items()
    ]
    return table_of([head, *(name.replace("_", " ") for name in names)], rows)


def _value_cell(finding: Finding | None) -> Cell:
    if finding is None:
        return "", ""
    bounds = write_bounds(finding)
    text = finding.label.replace("_", " ") or write_number(finding.value) + (f" ({bounds})" if bounds else "")
    return "called" if finding.called else "", text


def show_gaps(runs: Runs, gaps: Gaps) -> str:
    """Models x objectives: which seeds are there, which are missing, which failed and why."""
    models = sorted({*models_of(runs), *(model for model, _, _ in gaps)})
    objectives = sorted({*objectives_of(runs), *(objective for _, objective, _ in gaps)})
    rows: list[list[Cell]] = []
    for model in models:
        row: list[Cell] = [model]
        for objective in objectives:
            done = [run.seed for run in runs if (run.model, run.objective) == (model, objective)]
            row.append(_seeds(done, {seed: why for (m, o, seed), why in gaps.items() if (m, o) == (model, objective)}))
        rows.append(row)
    return table_of(["", *objectives], rows)


def _seeds(done: Sequence[int], gone: Mapping[int, str]) -> Cell:
    message = [f"done: seed {', '.join(map(str, sorted(done)))}"] if done else []
    message += [f"seed {seed} {why}" for seed, why in sorted(gone.items())]
    state = "" if not gone else "missing" if set(gone.values()) == {"missing"} else "failed"
    return state, "; ".join(message)


def show_runs(runs: Sequence[Tracked], ids: Sequence[str]) -> str:
    rows: list[list[Cell]] = [
        [run.name, run.stage, run.twin or "", ("number", str(_checkpoints(run))), run_id]
        for run, run_id in zip(runs, ids, strict=True)
    ]  # fmt: skip
    return table_of(["run", "stage", "twin", "checkpoints", "MLflow run"], rows)


def _checkpoints(run: Tracked) -> int:
    return len(steps_of(run.table, "velocity"))


def show_settings(settings: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """What the runs do not have in common besides model, objective and seed."""
    rows = [
        [key, value, f"{len(names)}: {', '.join(names[:6])}{' ...' if len(names) > 6 else ''}"]
        for key, values in settings.items() for value, names in values.items()
    ]  # fmt: skip
    return table_of(["setting", "value", "runs"], rows)
