"""What a figure is made of, without a word about who draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Line:
    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: int = 0
    """Place in the palette; lines of one thing share it."""
    dashed: bool = False


@dataclass(frozen=True)
class Band:
    """What lies between two curves: an interval, or what chance gives."""

    name: str
    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    color: int = 0


@dataclass(frozen=True)
class Dots:
    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: int = 0
    symbol: int = 0
    """Place among the shapes that points may have."""
    size: float = 4
    """Pixels across."""
    labels: Sequence[str] = ()
    """What each point is; shown when it is pointed at."""
    hollow: bool = False


@dataclass(frozen=True)
class Bars:
    """Horizontal segments, one below the other: a barcode."""

    name: str
    starts: Sequence[float]
    ends: Sequence[float]
    rows: Sequence[float]
    color: int = 0


@dataclass(frozen=True)
class Heat:
    name: str
    x: Sequence[str]
    y: Sequence[str] | Sequence[float]
    """Names of the rows; or their edges, one more than there are rows, ascending."""
    z: np.ndarray
    """(rows, len(x)); NaN where there is no value"""

    @property
    def edges(self) -> bool:
        """Whether `y` are edges."""
        return len(self.y) == len(self.z) + 1


@dataclass(frozen=True)
class ColorScale:
    """One logarithmic scale for all heat maps of a figure, cold below 1, pale at 1, warm above."""

    factor: float
    """Colours reach from 1 / factor to factor."""
    title: str

    @property
    def ticks(self) -> list[float]:
        return [
            value
            for value in (1 / 8, 1 / 4, 1 / 2, 2 / 3, 1, 3 / 2, 2, 4, 8)
            if 1 / self.factor <= value <= self.factor
        ]


Mark = Line | Band | Dots | Bars | Heat


@dataclass(frozen=True)
class Panel:
    title: str
    x_title: str
    y_title: str
    marks: Sequence[Mark]
    log_x: bool = False
    log_y: bool = False
    y_range: tuple[float, float] | None = None
    """Of the axis, in its units; panels that share one can be compared by eye."""


@dataclass(frozen=True)
class Figure:
    name: str
    """Also the name of its file."""
    title: str
    rows: Sequence[Sequence[Panel]]
    """A grid of panels, row by row, all rows of one length."""
    notes: str = field(default="")
    """A sentence under the title: how to read it."""
    heights: Sequence[float] = ()
    """Of the rows, relative to a usual one; empty: all alike."""
    scale: ColorScale | None = None
    """Of its heat maps; None: each has its own."""
    legend_below: bool = False
    """One legend for all panels under a picture, as a page always has it; for panels that it would cover."""
