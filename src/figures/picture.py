"""Figures as PNG, drawn by matplotlib: it needs no browser, which a cluster does not have."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from .interactive import PALETTE
from .panels import Bars, Dots, Figure, Heat, Line, Mark

PANEL_INCHES = (4.2, 3.1)
DPI = 80
# A title at a fixed height and few ticks: matplotlib spends most of its time on placing them.
STYLE: Any = {
    "font.size": 8, "axes.grid": True, "grid.alpha": 0.3, "axes.titlesize": 9, "axes.titley": 1.0,
    "figure.facecolor": "white",
}  # fmt: skip
TICKS = 4


def draw_png(figure: Figure) -> bytes:
    """A PNG on white, which light and dark pages both can show."""
    with mpl.rc_context(STYLE):
        rows, columns = len(figure.rows), len(figure.rows[0])
        width, height = PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows
        canvas = Canvas(figsize=(width, height), dpi=DPI)
        axes = canvas.subplots(rows, columns, squeeze=False)
        # Fixed margins in inches: an automatic layout draws everything twice.
        canvas.subplots_adjust(
            left=0.85 / width,
            right=1 - 0.1 / width,
            bottom=0.45 / height,
            top=1 - 0.55 / height,
            wspace=0.3,
            hspace=0.35,
        )
        canvas.suptitle(figure.title)
        for r, row in enumerate(figure.rows):
            for c, panel in enumerate(row):
                axis: Axes = axes[r, c]
                axis.locator_params(nbins=TICKS)
                if not panel.y_title:
                    axis.set_yticks([])  # places of bars mean nothing
                axis.set(title=panel.title, xlabel=panel.x_title, ylabel=panel.y_title)
                for mark in panel.marks:
                    _draw(axis, mark)
                if any(isinstance(mark, Line) for mark in panel.marks) and c == columns - 1:
                    axis.legend(fontsize=7)
        out = io.BytesIO()
        canvas.savefig(out, format="png")
        return out.getvalue()


def _draw(axis: Axes, mark: Mark) -> None:
    if isinstance(mark, Heat):
        axis.grid(False)
        axis.imshow(mark.z, aspect="auto", origin="lower", cmap="viridis", interpolation="nearest")
        for ticks, labels in ((axis.set_xticks, mark.x), (axis.set_yticks, mark.y)):
            places = np.unique(np.linspace(0, len(labels) - 1, min(8, len(labels))).round().astype(int))
            ticks(places, [labels[place] for place in places])
        return
    color = PALETTE[mark.color % len(PALETTE)]
    if isinstance(mark, Line):
        axis.plot(mark.x, mark.y, "--" if mark.dashed else "-", color=color, label=mark.name, linewidth=1.2)
    elif isinstance(mark, Dots):
        axis.scatter(mark.x, mark.y, s=5, color=color, label=mark.name)
    elif isinstance(mark, Bars):
        axis.hlines(mark.rows, mark.starts, mark.ends, color=color, linewidth=1)
