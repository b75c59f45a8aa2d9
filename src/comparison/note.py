"""What a comparison says in words: on the terminal and on its MLflow page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..system.console import show_rows

if TYPE_CHECKING:
    from ..figures.report import Report


def show_report(report: Report, path: Path) -> None:
    """Where the report of a comparison is, what it found, and in which runs."""
    print(f"{path}: {report.head}")
    titles, rows = report.claims
    if rows:
        show_rows(titles, rows, lines=True)
    for sentence in report.sentences:
        print(f"- {sentence}")
    show_rows(report.titles, report.rows)


def write_report_note(report: Report) -> str:
    """Markdown: what is found across the runs, and where the evidence is."""
    lines = [
        f"**{report.head}**. `report.html` under Artifacts has the figures and every finding with its interval.",
        "",
        *(f"- {sentence}" for sentence in report.sentences),
    ]
    return "\n".join(lines)
