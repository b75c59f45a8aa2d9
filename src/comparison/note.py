"""What a comparison says in words: on the terminal and on its MLflow page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..system.console import show_rows

if TYPE_CHECKING:
    from ..figures.report import Report


def show_report(report: Report, path: Path) -> None:
    """Where the report of a comparison is, what it found, and in which runs."""
    print(f"{path}: {report.head}")
    for sentence in report.sentences:
        print(f"- {sentence}")
    show_rows(report.titles, report.rows)


def write_report_note(report: Report) -> str:
    """Markdown: what is found across the runs, and where the evidence is."""
    lines = [
        f"**{_escape(report.head)}**. `report.html` under Artifacts has the figures and every finding with its "
        "interval.",
        "",
        *(f"- {_escape(sentence)}" for sentence in report.sentences),
    ]
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Text as Markdown shows it: names come from the store, and an image in one would ask somebody else's server."""
    return re.sub(r"([\\`<\[\]])", r"\\\1", text)
