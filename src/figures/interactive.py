"""Figures drawn by plotly, as sections of a page that needs nothing from outside."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .page import Section, assemble, embed_json
from .panels import Band, Dots, Figure, Heat, Line, Mark, Panel

PALETTE = ("#3b7dd8", "#e07b39", "#3a9d6e", "#b65fcf", "#c94f5d", "#8a8f3c", "#4aa3a3", "#8c8c8c")
"""Eight colours that stand out on white and on black."""
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star", "triangle-down", "cross")
ROW_HEIGHT = 360
GAP = 0.28
"""Share of the height between rows, all gaps together if there are more than two rows."""
FEW_TICKS = "D2"
"""On a logarithmic axis plotly labels 1, 2 and 5 of each decade."""
FEW_NAMES = 8
CLEAR = "rgba(0,0,0,0)"


def make_page(title: str, figures: Sequence[Figure | Mapping[int, Figure]]) -> str:
    """One page without any outside request; figures by step get a slider.

    Args:
        title: heading of the page; escaped, as all text is.
        figures: each a figure, or one for each step.
    """
    return assemble(title, [show_figure(figure) for figure in figures])


def show_figure(figure: Figure | Mapping[int, Figure], beside: str = "") -> Section:
    """A figure as a section of a page; `beside` is HTML to its right."""
    frames = {0: figure} if isinstance(figure, Figure) else dict(figure)
    first = next(iter(frames.values()))
    heading = first.title if len(frames) == 1 else first.title.partition(" at step")[0]
    plot = embed_json(first.name, draw_plotly(frames).to_json(), height=_height(first))
    body = f'<div class="beside"><div>{plot}</div><div>{beside}</div></div>' if beside else plot
    return Section(first.name, heading, first.notes, body)


def draw_plotly(frames: Mapping[int, Figure]) -> go.Figure:
    """The figures of one slider, all of one layout, as one plotly figure."""
    first = next(iter(frames.values()))
    grid = first.rows
    drawn = make_subplots(
        len(grid), len(grid[0]), subplot_titles=[html.escape(panel.title) for row in grid for panel in row],
        vertical_spacing=GAP / max(2, len(grid)), horizontal_spacing=min(0.12, 0.24 / len(grid[0])),
        row_heights=list(first.heights) or None,
    )  # fmt: skip
    owners: list[int] = []
    for step, figure in frames.items():
        named: set[str] = set()  # each name once in the legend; clicking it hides all its traces
        for r, row in enumerate(figure.rows, start=1):
            for c, panel in enumerate(row, start=1):
                for mark in panel.marks:
                    trace, name = _trace(mark, figure), html.escape(mark.name)
                    trace.update(visible=step == next(iter(frames)), name=name, legendgroup=name)
                    trace.showlegend = not isinstance(mark, Heat) and name not in named
                    named.add(name)
                    drawn.add_trace(trace, r, c)
                    owners.append(step)
                message = c > 1 and panel.y_title == row[c - 2].y_title  # once is enough, and leaves room
                _draw_axes(drawn, panel, r, c, "" if message else panel.y_title)
    if len(frames) > 1:
        steps = [
            {"label": str(step), "method": "restyle", "args": ["visible", [owner == step for owner in owners]]}
            for step in frames
        ]
        drawn.update_layout(sliders=[{"steps": steps, "currentvalue": {"prefix": "step "}, "pad": {"t": 50, "b": 30}}])
    drawn.update_layout(
        height=_height(first), margin={"t": 50, "l": 60, "r": 20}, paper_bgcolor=CLEAR, plot_bgcolor=CLEAR,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}, coloraxis=_color_axis(first),
    )  # fmt: skip
    return drawn


def _height(figure: Figure) -> int:
    return round(ROW_HEIGHT * (sum(figure.heights) or len(figure.rows)) + 140)


def _draw_axes(drawn: go.Figure, panel: Panel, row: int, column: int, y_title: str) -> None:
    drawn.update_xaxes(
        title_text=html.escape(panel.x_title), type="log" if panel.log_x else None,
        dtick=FEW_TICKS if panel.log_x else None, row=row, col=column,
    )  # fmt: skip
    if any(isinstance(mark, Heat) for mark in panel.marks):  # a name for each column would not fit
        drawn.update_xaxes(nticks=FEW_NAMES, tickangle=0, row=row, col=column)
    bounds = panel.y_range
    if bounds and panel.log_y:  # plotly takes the range of a logarithmic axis in powers of ten
        bounds = (math.log10(bounds[0]), math.log10(bounds[1]))
    drawn.update_yaxes(
        title_text=html.escape(y_title), title_standoff=8, type="log" if panel.log_y else None, range=bounds,
        dtick=FEW_TICKS if panel.log_y else None, row=row, col=column,
    )  # fmt: skip


def _color_axis(figure: Figure) -> dict[str, Any] | None:
    scale = figure.scale
    if scale is None:
        return None
    bar = {
        "tickvals": [math.log(value) for value in scale.ticks], "ticktext": [f"{value:.2g}" for value in scale.ticks],
        "title": {"text": html.escape(scale.title), "side": "right"}, "thickness": 12, "outlinewidth": 0,
    }  # fmt: skip
    return {"colorscale": "RdBu_r", "cmin": -math.log(scale.factor), "cmax": math.log(scale.factor), "colorbar": bar}


def _trace(mark: Mark, figure: Figure) -> go.Scatter | go.Heatmap:
    if isinstance(mark, Heat):
        if figure.scale is None:
            return go.Heatmap(x=mark.x, y=mark.y, z=mark.z, colorscale="Viridis", showscale=False)
        message = "%{x}, %{y:.2f}: %{text:.2f}<extra></extra>"
        return go.Heatmap(
            x=mark.x, y=mark.y, z=np.log(mark.z), text=mark.z, hovertemplate=message, hoverongaps=False,
            coloraxis="coloraxis",
        )  # fmt: skip
    color = PALETTE[mark.color % len(PALETTE)]
    if isinstance(mark, Line):
        dash = "dash" if mark.dashed else "solid"
        return go.Scatter(x=mark.x, y=mark.y, mode="lines", line={"color": color, "dash": dash})
    if isinstance(mark, Band):
        around, edge = [*mark.x, *reversed(mark.x)], [*mark.high, *reversed(mark.low)]
        return go.Scatter(x=around, y=edge, fill="toself", mode="none", fillcolor=color, opacity=0.25, hoverinfo="skip")
    if isinstance(mark, Dots):
        symbol = SYMBOLS[mark.symbol % len(SYMBOLS)] + ("-open" if mark.hollow else "")
        marker = {"color": color, "size": mark.size, "symbol": symbol}
        texts = [html.escape(label) for label in mark.labels] or None
        return go.Scatter(x=mark.x, y=mark.y, mode="markers", marker=marker, hovertext=texts)
    # One trace for all bars: a gap, None, lifts the pen between two.
    x = [v for start, end in zip(mark.starts, mark.ends, strict=True) for v in (start, end, None)]
    y = [v for row in mark.rows for v in (row, row, None)]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": color, "width": 2})
