"""Figures as PNG, drawn by matplotlib: it needs no browser, which a cluster does not have."""

from __future__ import annotations

import io
import math
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import NullLocator

from .interactive import PALETTE
from .panels import Band, Bars, ColorScale, Dots, Figure, Heat, Line, Mark, Panel

PANEL_INCHES = (4.2, 3.1)
DPI = 80
# A title at a fixed height and few ticks: matplotlib spends most of its time on placing them.
STYLE: Any = {
    "font.size": 8, "axes.grid": True, "grid.alpha": 0.3, "axes.titlesize": 9, "axes.titley": 1.0,
    "figure.facecolor": "white",
}  # fmt: skip
TICKS = 4
LEGEND_COLUMNS = 2
"""Names beside each other in a legend below, for each column of panels."""
LEGEND_LINE, LEGEND_GAP = 0.17, 0.1
"""Inches: of a line of a legend below, and above it."""
SYMBOLS = "oDs^X*vP"
"""In the order of the shapes that plotly draws."""
WARM = "RdBu_r"
"""The colours of a figure with a scale: blue below its middle, red above."""


def draw_png(figure: Figure) -> bytes:
    """A PNG on white, which light and dark pages both can show."""
    with mpl.rc_context(STYLE):
        canvas, axes = _lay_out(figure)
        for r, row in enumerate(figure.rows):
            for c, panel in enumerate(row):
                axis: Axes = axes[r, c]
                _draw_axes(axis, panel)
                for mark in panel.marks:
                    _draw(axis, mark, figure.scale)
                # The next panel's legend serves both if it has the same names.
                repeated = c + 1 < len(row) and _names(row[c + 1]) == _names(panel)
                if _names(panel) and not repeated and not figure.legend_below:
                    axis.legend(fontsize=7)
        if figure.scale:
            _draw_colors(canvas, figure.scale)
        if figure.legend_below:
            _draw_legend_below(canvas, axes)
        out = io.BytesIO()
        canvas.savefig(out, format="png")
        return out.getvalue()


def _lay_out(figure: Figure) -> tuple[Canvas, np.ndarray]:
    """An empty canvas with its title, and its (rows, columns) axes."""
    rows, columns = len(figure.rows), len(figure.rows[0])
    heights = list(figure.heights) or [1.0] * rows
    legend = _legend_lines(figure) * LEGEND_LINE + (LEGEND_GAP if figure.legend_below else 0)
    width, height = PANEL_INCHES[0] * columns, PANEL_INCHES[1] * sum(heights) + legend
    canvas = Canvas(figsize=(width, height), dpi=DPI)
    axes = canvas.subplots(rows, columns, squeeze=False, height_ratios=heights)
    # Fixed margins in inches: an automatic layout draws everything twice.
    right = 0.7 if figure.scale else 0.1
    canvas.subplots_adjust(
        left=0.85 / width, right=1 - right / width, bottom=(0.45 + legend) / height, top=1 - 0.55 / height,
        wspace=0.3, hspace=0.35 * rows / sum(heights),
    )  # fmt: skip
    canvas.suptitle(_plain(figure.title), y=1 - 0.12 / height)
    return canvas, axes


def _draw_legend_below(canvas: Canvas, axes: np.ndarray) -> None:
    """One legend for all panels, each name once."""
    known = {
        name: handle for axis in axes.flat for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)
    }  # fmt: skip
    columns = LEGEND_COLUMNS * axes.shape[1]
    canvas.legend(known.values(), known, loc="lower center", ncols=columns, fontsize=7, frameon=False)


def _plain(text: str) -> str:
    """Text that matplotlib does not take for mathematics."""
    return text.replace("$", r"\$")


def _legend_lines(figure: Figure) -> int:
    """Lines of the one legend below all panels."""
    names = {mark.name for row in figure.rows for panel in row for mark in panel.marks if not isinstance(mark, Heat)}
    return math.ceil(len(names) / (LEGEND_COLUMNS * len(figure.rows[0]))) if figure.legend_below else 0


def _draw_axes(axis: Axes, panel: Panel) -> None:
    for log, side, rescale in ((panel.log_x, axis.xaxis, axis.set_xscale), (panel.log_y, axis.yaxis, axis.set_yscale)):
        if log:
            rescale("log")
            side.set_minor_locator(NullLocator())
    if not panel.log_x:
        axis.locator_params(axis="x", nbins=TICKS)
    if not panel.log_y:
        axis.locator_params(axis="y", nbins=TICKS)
    if panel.y_range:
        axis.set_ylim(*panel.y_range)
    if not panel.y_title:
        axis.set_yticks([])  # places of bars mean nothing
    axis.set(title=_plain(panel.title), xlabel=_plain(panel.x_title), ylabel=_plain(panel.y_title))


def _names(panel: Panel) -> list[str]:
    """What the panel's legend says: nothing if no line and no second kind of point is in it."""
    kinds = {mark.name for mark in panel.marks if isinstance(mark, Dots)}
    if len(kinds) < 2 and not any(isinstance(mark, Line) for mark in panel.marks):
        return []
    return [mark.name for mark in panel.marks]


def _draw_colors(canvas: Canvas, scale: ColorScale) -> None:
    """The bar that says what the colours of the heat maps mean."""
    width, height = canvas.get_size_inches()
    place = canvas.add_axes((1 - 0.55 / width, 0.45 / height, 0.12 / width, 1 - 1.0 / height))
    bar = mpl.colorbar.Colorbar(place, mpl.cm.ScalarMappable(_norm(scale), WARM))
    bar.set_ticks(scale.ticks, labels=[f"{value:.2g}" for value in scale.ticks], minor=False)
    bar.minorticks_off()
    bar.set_label(scale.title)


def _norm(scale: ColorScale) -> mpl.colors.LogNorm:
    return mpl.colors.LogNorm(1 / scale.factor, scale.factor)


def _draw_heat(axis: Axes, mark: Heat, scale: ColorScale | None) -> None:
    axis.grid(False)
    if not mark.z.size:
        return
    colors: Any = {"cmap": WARM, "norm": _norm(scale)} if scale else {"cmap": "viridis"}
    labelled = [(axis.set_xticks, mark.x)]
    if mark.edges:
        axis.pcolormesh(np.arange(len(mark.x) + 1) - 0.5, np.asarray(mark.y, dtype=float), mark.z, **colors)
    else:
        axis.imshow(mark.z, aspect="auto", origin="lower", interpolation="nearest", **colors)
        labelled.append((axis.set_yticks, list(map(str, mark.y))))
    for ticks, labels in labelled:
        places = np.unique(np.linspace(0, len(labels) - 1, min(8, len(labels))).round().astype(int))
        ticks(places, [labels[place] for place in places])


def _draw(axis: Axes, mark: Mark, scale: ColorScale | None) -> None:
    if isinstance(mark, Heat):
        _draw_heat(axis, mark, scale)
        return
    color = PALETTE[mark.color % len(PALETTE)]
    if isinstance(mark, Line):
        axis.plot(mark.x, mark.y, "--" if mark.dashed else "-", color=color, label=_plain(mark.name), linewidth=1.2)
    elif isinstance(mark, Band):
        axis.fill_between(mark.x, mark.low, mark.high, color=color, alpha=0.25, linewidth=0, label=_plain(mark.name))
    elif isinstance(mark, Dots):
        symbol = SYMBOLS[mark.symbol % len(SYMBOLS)]
        filled: Any = {"facecolors": "none", "edgecolors": color} if mark.hollow else {"color": color}
        axis.scatter(mark.x, mark.y, s=mark.size**2 / 3, label=_plain(mark.name), marker=symbol, **filled)
    elif isinstance(mark, Bars):
        axis.hlines(mark.rows, mark.starts, mark.ends, color=color, linewidth=1)
