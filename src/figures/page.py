"""The frame of a page: one HTML file with plotly inside, light and dark, figures drawn one after the other."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Section:
    """One heading of a page and what stands under it."""

    name: str
    """What its address in the page ends with."""
    title: str
    notes: str
    body: str
    """HTML; title and notes are plain text."""


def assemble(title: str, sections: Sequence[Section], *, contents: bool = False, script: str = "") -> str:
    """One page without any outside request.

    Args:
        title: heading; escaped, as titles and notes of the sections are.
        contents: whether a list of the sections leads to each.
        script: JavaScript that runs after the figures' own.
    """
    links = [f'<a href="#{_address(part)}">{html.escape(part.title)}</a>' for part in sections]
    bodies = [
        f'<section id="{_address(part)}"><h2>{html.escape(part.title)}</h2><p>{html.escape(part.notes)}</p>'
        f"{part.body}</section>"
        for part in sections
    ]
    return Template(read_asset("page.html")).substitute(
        title=html.escape(title), contents=_contents(links) if contents else "",
        sections="".join(bodies), style=read_asset("page.css"), library=get_plotlyjs(),
        script=read_asset("page.js") + script,
    )  # fmt: skip


def _contents(links: Sequence[str]) -> str:
    return f"<nav><details><summary>Contents</summary>{' '.join(links)}</details></nav>"


def _address(section: Section) -> str:
    return html.escape(f"section-{section.name}")


def embed_json(name: str, figure: str, height: int) -> str:
    """A figure, as plotly's JSON, and the place where page.js draws it."""
    return f'<div class="plot" id="{html.escape(name)}" style="height:{height}px">{data_script(figure)}</div>'


def data_script(text: str, name: str = "") -> str:
    """JSON that a script of the page reads; no text in it can end its element."""
    escaped = text.replace("<", "\\u003c")
    place = f' id="{html.escape(name)}"' if name else ""
    return f'<script type="application/json"{place}>{escaped}</script>'


@cache
def read_asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
