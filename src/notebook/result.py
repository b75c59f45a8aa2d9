"""What a measured series comes to, as an object that shows itself: tables of pandas, figures of plotly, sentences."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..config import Config
from ..config.schedule import Schedule
from ..config.track import schedule_of
from ..figures.interactive import draw_plotly
from ..figures.panels import Figure
from ..figures.picture import draw_png
from ..findings import run_findings
from ..findings.finding import RunFindings
from ..metrics import selection
from ..metrics.files import read_stored_table
from ..pipeline.artifacts import DrawnFigure, figures_of_run
from ..pipeline.note import write_note
from ..pipeline.summary import summarize_findings
from ..rundir import RunDirectory
from ..rundir.state import load_measured_config
from ..system.words import count_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

PREVIEWED = ("speed", "excess")
"""Figures that are pictures where the object itself is shown."""


@dataclass(frozen=True, repr=False)
class TrackedRun:
    """A measured series; the last line of a cell shows it."""

    directory: Path | None
    """The run directory, with everything on disk; None where nothing was to be kept."""
    table: pd.DataFrame
    """Every number in long form, as in `topology.parquet`: step, pair_step, layer, dimension, quantity, sample, value,
    low, high."""
    summary: Mapping[str, Any]
    """What the note says, in parts: findings, headlines, path_length, missing, ..."""
    note: str
    """Markdown, as on the run's page in MLflow."""
    drawn: Sequence[DrawnFigure]
    """The figures as panels, whoever draws them."""

    @classmethod
    def of_table(cls, config: Config, schedule: Schedule, table: pd.DataFrame, run: RunDirectory) -> TrackedRun:
        """From a table with its floors applied, and the diagrams of a directory that is not kept."""
        summary = summarize_findings(config, schedule, table, run_findings(table), config.trainer.max_steps)
        return cls(None, table, summary, write_note(config, summary), figures_of_run(run, config, schedule, table))

    @classmethod
    def of_directory(cls, run: RunDirectory) -> TrackedRun:
        """From a run that is done.

        Raises:
            DamagedError: if its table or a diagram is not what was written.
        """
        config, table, summary = load_measured_config(run), read_stored_table(run.table), run.read_status()["summary"]
        drawn = figures_of_run(run, config, schedule_of(config), table)
        return cls(run.path.resolve(), table, summary, write_note(config, summary), drawn)

    @property
    def sentences(self) -> list[str]:
        """Every finding in words, what is missing, and what to beware of."""
        return [*self.summary["findings"], *([f"Missing: {missing}"] if (missing := self.summary["missing"]) else [])]

    @cached_property
    def findings(self) -> pd.DataFrame:
        """A row a finding: name, dimension (-1: of none), value, low, high, label, called, sentence."""
        return tabulate_findings(run_findings(self.table))

    @cached_property
    def figures(self) -> dict[str, go.Figure]:
        """Figures of plotly by name (`speed`, `excess`, `movement`, `velocity`, `drift`, `betti`, `diagrams`)."""
        return plotly_figures(self.drawn)

    def steps_by_layer(self, quantity: str, dimension: int = -1) -> pd.DataFrame:
        """One quantity at the checkpoints, a row a step, a column a layer; `mean` is over the layers.

        Args:
            quantity: such as `drift`, `velocity`, `excess`; those of geometry (`scale`, ...) have no dimension.
            dimension: homology dimension; -1 for what has none.

        Raises:
            ValueError: if it was not measured.
        """
        found = selection.steps_by_layer(self.table, quantity, dimension)
        if found.empty:
            there = sorted(set(selection.select(self.table, dimension=dimension).quantity))
            raise ValueError(f"{quantity}: not measured in dimension {dimension}; there are {', '.join(there)}")
        return found

    def __repr__(self) -> str:
        where = "in memory" if self.directory is None else str(self.directory)
        return f"<TrackedRun of {count_of(self.summary['checkpoints'], 'checkpoint')}, {where}>"

    def __str__(self) -> str:
        place = "" if self.directory is None else f"{self.directory}\n"
        return place + "\n".join(f"- {sentence}" for sentence in self.sentences)

    def _repr_html_(self) -> str:
        lengths = {f"path length, {name}": f"{length:.3f}" for name, length in self.summary["path_length"].items()}
        numbers = pd.DataFrame({"": {"checkpoints": str(self.summary["checkpoints"])} | lengths}).to_html(header=False)
        previews = [figure for figure in self.drawn if isinstance(figure, Figure) and figure.name in PREVIEWED]
        head, tables = str(self.directory or ""), ("table", "findings")
        return show_html(head, numbers, self.summary["headlines"], self.sentences, previews, self.figures, tables)


def tabulate_findings(found: RunFindings) -> pd.DataFrame:
    """A row a finding."""
    rows = [
        (name, k, one.value, one.low, one.high, one.label, one.called, one.sentence) for (name, k), one in found.items()
    ]
    columns = ["name", "dimension", "value", "low", "high", "label", "called", "sentence"]
    return pd.DataFrame(rows, columns=columns)


def plotly_figures(drawn: Iterable[DrawnFigure]) -> dict[str, go.Figure]:
    """Figures of plotly by name; those by step have a slider."""
    figures = {}
    for each in drawn:
        frames = {0: each} if isinstance(each, Figure) else dict(each)
        first = next(iter(frames.values()))
        # A page gives its figures their colours; in a notebook they have to be seen on their own.
        figures[first.name] = draw_plotly(frames).update_layout(title=first.title, margin_t=90, template="plotly_white")
    return figures


def show_html(
    head: str, table: str, shown: Sequence[str], every: Sequence[str], previews: Sequence[Figure],
    figures: Iterable[str], tables: Iterable[str],
) -> str:  # fmt: skip
    """What a notebook shows of an object: where it is, what was found, pictures, and how to get at the rest.

    Args:
        table: HTML.
        shown, every: sentences; those that are not shown at once are folded.
        previews: figures that become pictures: no script is needed to see them.
        figures: names of all figures.
        tables: names of the attributes that are tables.
    """
    place = f"<p><code>{html.escape(head)}</code></p>" if head else ""
    folded = f"<details><summary>all findings</summary>{_list(every)}</details>" if len(every) > len(shown) else ""
    pictures = "".join(map(_picture, previews))
    names = ", ".join(f"<code>.figures[{name!r}]</code>" for name in figures)
    rest = "Tables: " + ", ".join(f"<code>.{name}</code>" for name in tables) + (f". Figures: {names}" if names else "")
    return f"<div>{place}{table}{_list(shown)}{folded}{pictures}<p>{rest}</p></div>"


def _list(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(sentence)}</li>' for sentence in sentences)}</ul>" if sentences else ""


def _picture(figure: Figure) -> str:
    data = base64.b64encode(draw_png(figure)).decode()
    return f'<img alt="{html.escape(figure.title)}" style="max-width:100%" src="data:image/png;base64,{data}">'
