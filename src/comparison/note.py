"""What a comparison says in words: on the terminal and on its MLflow page."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..system.console import show_rows
from ..system.words import count_of

if TYPE_CHECKING:
    from ..figures.report import Report

MAX_NOTE = 7900
"""Characters of a note; MLflow cuts a tag off after 8,000."""


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
    """Markdown: which claims hold, what is found across the runs as far as it finds room, and where the evidence is."""
    titles, rows = report.claims
    table = [_row(titles), _row(["---"] * len(titles)), *map(_row, rows), ""] if rows else []
    lines = [
        *table,
        f"**{_escape(report.head)}**. `report.html` under Artifacts has the figures and every finding with its "
        "interval.",
        "",
    ]
    items = [f"- {_escape(sentence)}" for sentence in report.sentences]
    if len("\n".join([*lines, *items])) <= MAX_NOTE:
        return "\n".join([*lines, *items])
    rest = "- The other {} are in `report.html`."
    while items and len("\n".join([*lines, *items, rest])) > MAX_NOTE:
        items.pop()
    return "\n".join([*lines, *items, rest.format(count_of(len(report.sentences) - len(items), "sentence"))])


def _row(cells: Sequence[str]) -> str:
    """A row of a Markdown table: no text in a cell ends it."""
    return f"| {' | '.join(_escape(cell).replace(chr(10), '<br>') for cell in cells)} |"


def _escape(text: str) -> str:
    """Text as Markdown shows it: names come from the store, and an image in one would ask somebody else's server."""
    return re.sub(r"([\\|`*_\[\]])", r"\\\1", html.escape(text, quote=False))
