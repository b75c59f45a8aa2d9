"""From a stored cloud to what a TDA method is given."""

from __future__ import annotations

import numpy as np

SINK = 20.0
"""A row whose norm is above this many medians is a sink."""


class NotFiniteError(ValueError):
    """An activation is infinite or no number."""


def prepare_points(
    cloud: np.ndarray, base: np.ndarray, *, metric: str, points: int | None, components: int | None = None,
    drop_sinks: bool = False,
) -> tuple[np.ndarray, float]:  # fmt: skip
    """The first `points` rows in float64, without sinks, standardized and projected where asked.

    Args:
        cloud: (N, D) activations.
        base: (N, D) activations of the same layer at step 0, whose statistics and axes serve every step alike.
        metric: `standardized` divides each coordinate by its step-0 standard deviation; others change nothing.
        points: rows to take; None takes all.
        components: principal components of step 0 to project on; None keeps all coordinates.
        drop_sinks: leave out the rows that are sinks at step 0, at every step alike.

    Returns:
        float64 (points or fewer, D or components), and the share of the cloud's variance that is left in them.

    Raises:
        NotFiniteError: naming the prompt.
    """
    chosen = _finite(cloud[:points])
    if metric != "standardized" and components is None and not drop_sinks:
        return chosen, 1.0
    reference = _finite(base[:points])
    if drop_sinks:
        kept = ~find_sinks(reference)
        chosen, reference = chosen[kept], reference[kept]
    if metric == "standardized":
        # A coordinate that never varies carries no distance at step 0; it keeps its own unit.
        spread, mean = reference.std(0), reference.mean(0)
        unit = np.where(spread > 0, spread, 1.0)
        chosen, reference = (chosen - mean) / unit, (reference - mean) / unit
    if components is None:
        return chosen, 1.0
    axes = _principal_axes(reference, components)
    projected = (chosen - reference.mean(0)) @ axes.T
    total = float(((chosen - chosen.mean(0)) ** 2).sum())
    kept_variance = float(((projected - projected.mean(0)) ** 2).sum())
    return projected, kept_variance / total if total else 1.0


def find_sinks(cloud: np.ndarray) -> np.ndarray:
    """Which rows are sinks: norms above 20 x the median, as attention sinks have; bool (N,)."""
    norms = np.linalg.norm(cloud.astype(np.float64, copy=False), axis=1)
    found: np.ndarray = norms > SINK * np.median(norms)
    return found


def _finite(rows: np.ndarray) -> np.ndarray:
    """The rows in float64; raises NotFiniteError if one has a value that is not finite."""
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise NotFiniteError(f"prompt {int(np.flatnonzero(bad)[0])} has an activation that is not finite")
    return np.asarray(rows, dtype=np.float64)


def _principal_axes(x: np.ndarray, count: int) -> np.ndarray:
    """(count, D) orthonormal directions of largest variance, by PCA."""
    if count > min(x.shape):
        raise ValueError(f"tda.components={count}: {x.shape[0]} points in {x.shape[1]} dimensions have fewer")
    return np.asarray(np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:count])
