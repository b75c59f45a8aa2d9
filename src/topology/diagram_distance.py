"""Exact distances between diagrams, ground metric L-infinity."""

from __future__ import annotations

import os

import gudhi
import numpy as np

# POT would import every array library it finds, seconds for each worker; the distances here are NumPy's.
for library in ("PYTORCH", "JAX", "TENSORFLOW", "CUPY"):
    os.environ.setdefault(f"POT_BACKEND_DISABLE_{library}", "1")

from gudhi.wasserstein import wasserstein_distance

from .alignment import align


def diagram_distance(a: np.ndarray, b: np.ndarray, dimension: int, order: float = 1) -> float:
    """Wasserstein distance between the bars of one homology dimension of two diagrams.

    A bar may be matched to a bar or to the diagonal; a match costs the larger of its two coordinate differences
    (L-infinity), to the power `order`. See doi:10.1007/s10208-010-9060-6.

    Args:
        a, b: (n_bars, 3) diagrams: birth, death, dimension, all finite.
        dimension: homology dimension.
        order: 1 or more; `numpy.inf` is the bottleneck distance.

    Returns:
        The distance, in the diagrams' own units.

    Raises:
        ValueError: if a bar has no end.
    """
    left, right = (np.ascontiguousarray(d[d[:, 2] == dimension, :2], dtype=np.float64) for d in (a, b))
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise ValueError("a bar has no end: distances are between finite bars")
    if np.isinf(order):
        return float(gudhi.bottleneck_distance(left, right, 0.0))
    if not (left[:, 0].any() or right[:, 0].any()):
        return float(align(np.sort(left[:, 1]), np.sort(right[:, 1]), order) ** (1 / order))
    return float(wasserstein_distance(left, right, order=order, internal_p=np.inf))
