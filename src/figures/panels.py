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
class Dots:
    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: int = 0


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
    y: Sequence[str]
    z: np.ndarray
    """(len(y), len(x)); NaN where there is no value"""


Mark = Line | Dots | Bars | Heat


@dataclass(frozen=True)
class Panel:
    title: str
    x_title: str
    y_title: str
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Figure:
    name: str
    """Also the name of its file."""
    title: str
    rows: Sequence[Sequence[Panel]]
    """A grid of panels, row by row, all rows of one length."""
    notes: str = field(default="")
    """A sentence under the title: how to read it."""
