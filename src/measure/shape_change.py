"""How far one normalized diagram is from another; NaN where one of the two does not exist."""

from __future__ import annotations

import math

import numpy as np

from ..topology import coherence, diagram_distance


def shape_distance(a: np.ndarray | None, b: np.ndarray | None, k: int) -> float:
    return math.nan if a is None or b is None else diagram_distance(a, b, k)


def own_scale_distance(a: np.ndarray | None, b: np.ndarray | None, k: int) -> float:
    """The distance after each diagram was divided by a length of its own: blind to one common scaling of all bars.

    That length is the mean death of its bars of the lowest dimension; with H0, where all are born at 0, the mean edge
    of the cloud's minimal spanning tree. It serves every dimension: the bars of H1 are born at many times their length,
    so that in units of their own mean length the births follow each short bar that comes or goes.
    """
    scaled = [None if d is None else _by_own_length(d) for d in (a, b)]
    return shape_distance(scaled[0], scaled[1], k)


def _by_own_length(diagram: np.ndarray) -> np.ndarray | None:
    """The diagram in units of the mean death in its lowest dimension; None if it has no bar."""
    if not len(diagram):
        return None
    length = float(diagram[diagram[:, 2] == diagram[:, 2].min(), 1].mean())
    return np.asarray(diagram / [length, length, 1.0])


def shape_coherence(a: np.ndarray | None, b: np.ndarray | None, k: int) -> float:
    return math.nan if a is None or b is None else coherence(a, b, k)
