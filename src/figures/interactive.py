"""Figures as one self-contained HTML page, drawn by plotly; it follows the reader's light or dark theme."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from .panels import Dots, Figure, Heat, Line, Mark

PALETTE = ("#3b7dd8", "#e07b39", "#3a9d6e", "#b65fcf", "#c94f5d", "#8a8f3c", "#4aa3a3", "#8c8c8c")
"""Eight colours that stand out on white and on black."""
ROW_HEIGHT = 360

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 1rem; background: Canvas; color: CanvasText; }}
h2 {{ margin: 2rem 0 0; font-size: 1.15rem; }} p {{ margin: .2rem 0 .6rem; }}
</style><script>{library}</script></head><body><h1>{title}</h1>{sections}<script>
const dark = matchMedia("(prefers-color-scheme: dark)");
function paint() {{
  const ink = dark.matches ? "#ddd" : "#222", grid = dark.matches ? "#444" : "#ddd";
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {{
    const change = {{"font.color": ink}};
    for (const axis of Object.keys(plot.layout).filter(key => /^[xy]axis/.test(key)))
      Object.assign(change, {{[axis + ".gridcolor"]: grid, [axis + ".zerolinecolor"]: grid}});
    Plotly.relayout(plot, change);
  }}
}}
dark.addEventListener("change", paint); paint();
</script></body></html>"""


def make_page(title: str, figures: Sequence[Figure | Mapping[int, Figure]]) -> str:
    """One page without any outside request; figures by step get a slider.

    Args:
        title: heading of the page; escaped, as all text is.
        figures: each a figure, or one for each step.
    """
    sections = []
    for figure in figures:
        frames = {0: figure} if isinstance(figure, Figure) else dict(figure)
        first = next(iter(frames.values()))
        drawn = draw_plotly(frames)
        plot = drawn.to_html(full_html=False, include_plotlyjs=False, div_id=first.name, config={"responsive": True})
        heading = first.title if len(frames) == 1 else first.title.partition(" at step")[0]
        sections.append(f"<h2>{html.escape(heading)}</h2><p>{html.escape(first.notes)}</p>{plot}")
    return PAGE.format(title=html.escape(title), library=get_plotlyjs(), sections="".join(sections))


def draw_plotly(frames: Mapping[int, Figure]) -> go.Figure:
    """The figures of one slider, all of one layout, as one plotly figure."""
    grid = next(iter(frames.values())).rows
    titles = [panel.title for row in grid for panel in row]
    drawn = make_subplots(
        len(grid), len(grid[0]), subplot_titles=titles, vertical_spacing=0.14, horizontal_spacing=0.12
    )
    owners: list[int] = []
    for step, figure in frames.items():
        named: set[str] = set()  # each name once in the legend; clicking it hides all its traces
        for r, row in enumerate(figure.rows, start=1):
            for c, panel in enumerate(row, start=1):
                for mark in panel.marks:
                    trace = _trace(mark)
                    trace.update(visible=step == next(iter(frames)), name=mark.name, legendgroup=mark.name)
                    trace.showlegend = not isinstance(mark, Heat) and mark.name not in named
                    named.add(mark.name)
                    drawn.add_trace(trace, r, c)
                    owners.append(step)
                drawn.update_xaxes(title_text=panel.x_title, row=r, col=c)
                said = c > 1 and panel.y_title == row[c - 2].y_title  # once is enough, and leaves room
                drawn.update_yaxes(title_text="" if said else panel.y_title, title_standoff=8, row=r, col=c)
    if len(frames) > 1:
        steps = [
            {"label": str(step), "method": "restyle", "args": ["visible", [owner == step for owner in owners]]}
            for step in frames
        ]
        drawn.update_layout(sliders=[{"steps": steps, "currentvalue": {"prefix": "step "}, "pad": {"t": 50, "b": 30}}])
    clear = "rgba(0,0,0,0)"
    drawn.update_layout(
        height=ROW_HEIGHT * len(grid) + 140, margin={"t": 50, "l": 60, "r": 20},
        paper_bgcolor=clear, plot_bgcolor=clear,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
    )  # fmt: skip
    return drawn


def _trace(mark: Mark) -> go.Scatter | go.Heatmap:
    if isinstance(mark, Heat):
        return go.Heatmap(x=mark.x, y=mark.y, z=mark.z, colorscale="Viridis", showscale=False)
    color = PALETTE[mark.color % len(PALETTE)]
    if isinstance(mark, Line):
        dash = "dash" if mark.dashed else "solid"
        return go.Scatter(x=mark.x, y=mark.y, mode="lines", line={"color": color, "dash": dash})
    if isinstance(mark, Dots):
        return go.Scatter(x=mark.x, y=mark.y, mode="markers", marker={"color": color, "size": 4})
    # One trace for all bars: a gap, None, lifts the pen between two.
    x = [v for start, end in zip(mark.starts, mark.ends, strict=True) for v in (start, end, None)]
    y = [v for row in mark.rows for v in (row, row, None)]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": color, "width": 2})
