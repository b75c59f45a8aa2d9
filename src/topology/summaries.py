"""Numbers that summarise a diagram (arXiv 2505.20435 for their use on language models)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr

from ..arrays import read_diagram, read_integer
from .distances import power_of_two

LENGTHS = ("total_persistence", "max_persistence", "mean_persistence", "mean_birth", "mean_death")
"""Summaries with the unit of a length: divided by the cloud's scale they describe its shape."""


def summarize(diagram: ArrayLike, dimension: int) -> dict[str, float]:
    """Summaries of the bars of one homology dimension.

    `entropy` is Shannon's, in bits, of the bar lengths as shares of their sum (doi:10.1016/j.patcog.2020.107509);
    `normalized_entropy` divides it by log2 of the number of bars, its largest possible value; `betti_max` is the
    largest number of bars alive at once.

    Args:
        diagram: (n_bars, 3): birth, death, dimension. A bar that never dies counts among the bars and their births.
        dimension: homology dimension, at least 0.

    Returns:
        Finite values by name. What no bar defines (a mean of none, a sum of endless lengths) is left out, never NaN.

    Raises:
        ValueError: if that is no diagram.
    """
    bars, dimension = read_diagram(diagram, "diagram"), read_integer(dimension, "dimension")
    bars = bars[bars[:, 2] == dimension]
    births, deaths = bars[:, 0], bars[:, 1]
    with np.errstate(over="ignore"):  # what is not finite is left out below
        lengths = deaths - births
    unit = power_of_two(lengths)  # the sum of the longest lengths there are would be infinite
    scaled = lengths / unit
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is left out below
        total = float(scaled.sum())
        values = {
            "n_bars": float(len(bars)),
            "total_persistence": total * unit,
            "betti_max": _most_alive(births, deaths),
        }
        if len(bars):
            values |= {
                "max_persistence": float(lengths.max()),
                "mean_persistence": total / len(bars) * unit,
                "mean_birth": float(births.mean()),
                "mean_death": float(deaths.mean()),
            }
        if total > 0:
            values["entropy"] = float(entr(scaled / total).sum() / np.log(2))  # entr(0) is 0: a share can underflow
            if len(bars) > 1:
                values["normalized_entropy"] = values["entropy"] / float(np.log2(len(bars)))
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _most_alive(births: np.ndarray, deaths: np.ndarray) -> float:
    """The maximum of the Betti curve; a bar is alive from its birth up to, not including, its death."""
    if not len(births):
        return 0.0
    alive = np.arange(1, len(births) + 1) - np.searchsorted(np.sort(deaths), np.sort(births), side="right")
    return float(alive.max())
