"""Numbers that summarise a diagram (arXiv 2505.20435 for their use on language models)."""

from __future__ import annotations

import numpy as np
from scipy.special import entr

LENGTHS = ("total_persistence", "max_persistence", "mean_persistence", "mean_birth", "mean_death")
"""Summaries with the unit of a length: divided by the cloud's scale they describe its shape."""


def summarize(diagram: np.ndarray, dimension: int) -> dict[str, float]:
    """Summaries of the bars of one homology dimension.

    `entropy` is Shannon's, in bits, of the bar lengths as shares of their sum (doi:10.1016/j.patcog.2020.107509);
    `normalized_entropy` divides it by log2 of the number of bars, its largest possible value; `betti_max` is the
    largest number of bars alive at once.

    Args:
        diagram: (n_bars, 3): birth, death, dimension, all finite.
        dimension: homology dimension.

    Returns:
        Values by name. What no bar defines (a mean of none) is left out, never NaN.
    """
    bars = diagram[diagram[:, 2] == dimension]
    births, deaths = bars[:, 0], bars[:, 1]
    lengths = deaths - births
    total = float(lengths.sum())
    values = {"n_bars": float(len(bars)), "total_persistence": total, "betti_max": float(_most_alive(births, deaths))}
    if len(bars):
        entropy = float(entr(lengths / total).sum() / np.log(2))  # entr(0) is 0: a share can underflow
        values |= {
            "max_persistence": float(lengths.max()),
            "mean_persistence": total / len(bars),
            "mean_birth": float(births.mean()),
            "mean_death": float(deaths.mean()),
            "entropy": entropy,
        }
    if len(bars) > 1:
        values["normalized_entropy"] = entropy / float(np.log2(len(bars)))
    return values


def _most_alive(births: np.ndarray, deaths: np.ndarray) -> int:
    """The maximum of the Betti curve; a bar is alive from its birth up to, not including, its death."""
    if not len(births):
        return 0
    alive = np.arange(1, len(births) + 1) - np.searchsorted(np.sort(deaths), np.sort(births), side="right")
    return int(alive.max())
