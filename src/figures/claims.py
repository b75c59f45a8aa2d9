"""The claims of a comparison: the table that a report opens with, and the figure that shows what it rests on."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ..findings import Claim
from ..findings.effects import LEAST
from ..findings.wording.claims import BOUNDS, MEANINGS, TITLES
from ..metrics.derived import drop_rounding
from ..metrics.selection import is_measured, select_curve
from ..statistics.intervals import quantile
from ..system.words import count_of
from .comparison import Runs, curve_marks, models_of
from .motion import STEP
from .panels import Figure, Line, Mark, Panel
from .tables import fold

RULES = (
    "Holds: called in more than half of the runs, and in more than by chance. Does not hold: 95 % bounds (in brackets) "
    f"exclude what matters, (a) {LEAST['early']:g} x, (b) {LEAST['peak']:g} x, (c) recognition half way to certainty, "
    f"(d) {LEAST['twins']:g} standard deviation. All else cannot be told."
)
MANY = 5
"""Models beyond which the table is set smaller."""
GREY = 7
"""Place in the palette."""


def name_verdict(claim: Claim) -> str:
    """The verdict with the runs it is of: "holds, 7 of 9 runs (H1), 2 of 9 (H0)"."""
    return f"{claim.verdict}, {claim.runs}" if claim.runs else claim.verdict


def tabulate_claims(claims: Sequence[Claim], models: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Titles and rows of plain text: a row a claim, a column a model, twins named where a cell is about a pair."""
    rows = []
    for name in TITLES:
        cells = [[claim for claim in claims if claim.name == name and model in claim.models] for model in models]
        rows.append([TITLES[name], *("\n".join(map(_in_lines, cell)) for cell in cells)])
    return ["claim", *models], rows


def _in_lines(claim: Claim) -> str:
    about = f"{claim.group}: " if len(claim.models) > 1 else ""
    return about + "\n".join(filter(None, [name_verdict(claim), claim.number, claim.explanation]))


def show_claims(claims: Sequence[Claim], runs: Runs) -> str:
    """The table as HTML: claims x models, and under each claim all that the findings say of it, folded."""
    models = models_of(runs)
    head = "".join(
        f'<th scope="col">{html.escape(model)}<span>{html.escape(_describe_model(model, runs))}</span></th>'
        for model in models
    )
    body = []
    for name, title in TITLES.items():
        named = [claim for claim in claims if claim.name == name]
        cells = "".join(_cell(same, span) for same, span in _spans(named, models))
        body.append(
            f'<tr><th scope="row">{html.escape(title)}<span>{html.escape(MEANINGS[name])}</span></th>{cells}</tr>'
        )
        words = list(dict.fromkeys(sentence for claim in named for sentence in claim.sentences))
        if words:
            body.append(f'<tr class="words"><td colspan="{len(models) + 1}">{fold(words)}</td></tr>')
    many = " many" if len(models) > MANY else ""
    return (
        f'<div class="wide"><table class="claims{many}"><thead><tr><th scope="col">claim</th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _describe_model(model: str, runs: Runs) -> str:
    own = [run for run in runs if run.model == model]
    return f"{own[0].stage}, {count_of(len(own), 'run')}"


def _spans(claims: Sequence[Claim], models: Sequence[str]) -> Iterator[tuple[list[Claim], int]]:
    """What stands in each cell of a row, and over how many models it reaches: neighbours with the same share one."""
    of_models = [[claim for claim in claims if model in claim.models] for model in models]
    place = 0
    while place < len(models):
        span = 1
        while place + span < len(models) and of_models[place + span] == of_models[place]:
            span += 1
        yield of_models[place], span
        place += span


def _cell(claims: Sequence[Claim], span: int) -> str:
    reach = f' colspan="{span}"' if span > 1 else ""
    return f"<td{reach}>{''.join(_show_claim(claim, alone=len(claims) == 1 and span > 1) for claim in claims)}</td>"


def _show_claim(claim: Claim, *, alone: bool) -> str:
    about = f"{claim.group}: " if len(claim.models) > 1 and not alone else ""
    kind, runs = claim.verdict.replace(" ", "-"), _unbroken(claim.runs)
    number = _unbroken(claim.number.replace(BOUNDS, ""))  # the page says it once
    lines = [
        f'{html.escape(about)}<strong class="verdict {kind}">{claim.verdict}</strong> {html.escape(runs)}',
        html.escape(number), f"<small>{html.escape(claim.explanation)}</small>" if claim.explanation else "",
    ]  # fmt: skip
    return "".join(f"<div>{line}</div>" for line in lines if line)


def _unbroken(text: str) -> str:
    """What stands in brackets stays in one line."""
    return re.sub(r"\([^)]*\)", lambda match: match[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


def draw_claims(runs: Runs, dimensions: Sequence[int]) -> list[Figure]:
    """Excess and velocity over training, a line for each model: what the claims about single runs rest on.

    No figure where all velocities are rounding.
    """
    tables = {run.name: drop_rounding(run.table) for run in runs}
    quantities = {"excess": "velocity / chance", "velocity": "velocity / late median"}
    row = []
    for quantity, unit in quantities.items():
        for k in dimensions:
            if any(is_measured(table, quantity, k) for table in tables.values()):
                marks = list(_mean_curves(runs, tables, quantity, k))
                row.append(Panel(f"{quantity} H{k}", STEP, unit, [*marks, *_guides(marks)], log_x=True))
    if not row:
        return []
    figure = Figure(
        "claims", "What the first claims rest on", [row],
        "(a): excess left of the first upright line above that right of the second. (b): velocity rises and falls "
        "again. Means over blocks and runs, 95 % bounds.",
        heights=[0.75], legend_below=True,
    )  # fmt: skip
    return [figure]


def _mean_curves(runs: Runs, tables: dict[str, pd.DataFrame], quantity: str, k: int) -> Iterator[Mark]:
    for color, model in enumerate(models_of(runs)):
        curves = [select_curve(tables[run.name], quantity, k).set_index("step") for run in runs if run.model == model]
        curves = [_over_late(curve) if quantity == "velocity" else curve for curve in curves if len(curve)]
        shared = sorted(set.intersection(*(set(curve.index) for curve in curves))) if curves else []
        if shared:
            yield from curve_marks(_average([curve.loc[shared] for curve in curves]), model, color)


def _over_late(curve: pd.DataFrame) -> pd.DataFrame:
    """Values and bounds over the median of the last half."""
    columns = ["value", "low", "high"]
    late = curve.index >= (curve.index[0] + curve.index[-1]) / 2
    return curve.assign(**{name: curve[name] / curve.value[late].median() for name in columns})


def _average(curves: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Columns step, value, low, high: of one curve its own, of several the geometric mean and its 95 % bounds."""
    if len(curves) == 1:
        return curves[0].reset_index()
    logs = np.log(np.stack([curve.value.to_numpy() for curve in curves]))
    center, error = logs.mean(axis=0), logs.std(axis=0, ddof=1) * quantile(len(logs)) / math.sqrt(len(logs))
    return pd.DataFrame({
        "step": curves[0].index, "value": np.exp(center), "low": np.exp(center - error), "high": np.exp(center + error),
    })  # fmt: skip


def _guides(curves: Sequence[Mark]) -> list[Mark]:
    """Level 1, the end of the first tenth of the steps and the beginning of the last half."""
    lines = [mark for mark in curves if isinstance(mark, Line)]
    if not lines:
        return []
    x = [place for line in lines for place in line.x]
    y = [value for line in lines for value in line.y]
    first, last = min(x), max(x)
    ends = [first + (last - first) / 10, (first + last) / 2]
    name = "1; end of the first tenth, start of the last half"
    upright: list[Mark] = [
        Line(name, [end, end], [min(0.9, *y), max(1.1, *y)], color=GREY, dashed=True) for end in ends
    ]
    return [Line(name, [first, last], [1.0, 1.0], color=GREY, dashed=True), *upright]
