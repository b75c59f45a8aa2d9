"""`python -m src.compare` as a function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..comparison.build import Compared, write_comparison
from ..config.commands import CompareConfig
from ..config.guest import Settings, compose_with, composing
from ..config.resolve import resolve_comparison
from ..figures.panels import Figure
from ..figures.report import Comparison, draw_comparison
from ..findings import Tracked
from ..metrics.table import COLUMNS
from .result import plotly_figures, show_html, tabulate_findings

if TYPE_CHECKING:
    import plotly.graph_objects as go

RUN = ("run", "model", "stage", "objective", "seed")
"""Columns of a table that say what run a number is of."""

SHOWN = 6
"""Sentences that are seen at once; the others are folded."""

PREVIEWED = ("claims", "trajectories")
"""Figures that are pictures where the object itself is shown."""


@dataclass(frozen=True, repr=False)
class ComparedRuns:
    """A comparison; the last line of a cell shows it."""

    compared: Compared

    @property
    def report(self) -> Path:
        """The page, with every figure and finding."""
        return self.compared.directory.report.resolve()

    @property
    def sentences(self) -> list[str]:
        """What is found across the runs, in words, and which runs are left out because they are damaged."""
        return [*self.compared.report.sentences, *self.compared.damaged.splitlines()]

    @cached_property
    def claims(self) -> pd.DataFrame:
        """Which of the published claims hold, a row a claim, a column a model; empty of one run."""
        titles, rows = self.compared.report.claims
        return pd.DataFrame(list(map(list, rows)), columns=list(titles)).set_index(list(titles[:1]))

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The runs: a row each, with the id that MLflow has of it."""
        return pd.DataFrame(self.compared.report.rows, columns=list(self.compared.report.titles))

    @cached_property
    def findings(self) -> pd.DataFrame:
        """The findings of each run, or of each way that one run was measured in: its name, then the columns of
        `TrackedRun.findings`."""
        found = self.compared.found
        each = found.run_findings if isinstance(found, Comparison) else found.variants
        tables = [tabulate_findings(dict(one)).assign(run=name) for name, one in each.items()]
        whole = pd.concat(tables, ignore_index=True)
        return whole[["run", *whole.columns.drop("run")]]

    @cached_property
    def group_findings(self) -> pd.DataFrame:
        """The findings across runs: name, group, value, low, high, label, called, sentence; empty of a single run."""
        found = self.compared.found.group_findings if isinstance(self.compared.found, Comparison) else {}
        rows = [
            (name, group, one.value, one.low, one.high, one.label, one.called, one.sentence)
            for (name, group), one in found.items()
        ]
        columns = ["name", "group", "value", "low", "high", "label", "called", "sentence"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The numbers that were compared, in long form, with run, model, stage, objective and seed: means over the
        layers, and of single layers what was needed (all of them: `load_runs` of `src.compare`). Empty of one run."""
        found = self.compared.found
        tables = [_with_run(run) for run in found.runs] if isinstance(found, Comparison) else []
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*RUN, *COLUMNS])

    @cached_property
    def drawn(self) -> list[Figure]:
        """The figures as panels; none of one run."""
        return draw_comparison(self.compared.found) if isinstance(self.compared.found, Comparison) else []

    @cached_property
    def figures(self) -> dict[str, go.Figure]:
        """Figures of plotly by name (`claims`, `trajectories`, `velocity_H1`, `excess_H1`, ...)."""
        return plotly_figures(self.drawn)

    def __repr__(self) -> str:
        return f"<ComparedRuns: {self.compared.report.head}, {self.report}>"

    def __str__(self) -> str:
        lines = [f"{self.report}: {self.compared.report.head}", *(f"- {sentence}" for sentence in self.sentences)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        claims = "" if self.claims.empty else self.claims.rename_axis(None).to_html(escape=True).replace("\\n", "<br>")
        head = f"{self.report}: {self.compared.report.head}"
        previews = [figure for figure in self.drawn if figure.name in PREVIEWED]
        tables = ("claims", "findings", "group_findings", "runs", "table")
        return show_html(head, claims, self.sentences[:SHOWN], self.sentences, previews, self.figures, tables)


def compare_runs(
    sweep: str | None = None, *, runs: Sequence[str | Path] | None = None, filter: str | None = None,
    config: Settings = None,
) -> ComparedRuns:  # fmt: skip
    """Findings across finished runs: as `python -m src.compare`, the same report, also logged to MLflow.

    Args:
        sweep: name of a sweep. One of the three is to be given.
        runs: run directories, or ids of MLflow.
        filter: an MLflow search filter, such as `tags.kind = 'track'`.
        config: further settings, such as `{"tracking.uri": ...}`.

    Returns:
        Tables, figures and sentences, and where the report is.

    Raises:
        ValueError: if there are no such runs, or they cannot be compared.
    """
    given = {"sweep": sweep, "runs": None if runs is None else list(map(str, runs)), "filter": filter}
    facts = {key: value for key, value in given.items() if value is not None}
    with composing(CompareConfig, config):
        request = resolve_comparison(compose_with("compare", CompareConfig, [], config, facts))
    return ComparedRuns(write_comparison(request))


def _with_run(run: Tracked) -> pd.DataFrame:
    """Its table, and in front what run it is of."""
    table = run.table.copy()
    for place, name in enumerate(RUN):
        table.insert(place, name, run.name if name == "run" else getattr(run, name))
    return table
