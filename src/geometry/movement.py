"""How far a cloud moved between two captures."""

from __future__ import annotations

import math

import numpy as np


def displacement(x: np.ndarray, moved: np.ndarray, lag: int) -> float:
    """Relative movement per step, `||moved - x||_F / ||x||_F / lag`; NaN where `x` is all zero.

    Args:
        x, moved: (N, D) clouds, same rows.
        lag: optimizer steps between them.
    """
    before, after = np.asarray(x, dtype=np.float64), np.asarray(moved, dtype=np.float64)
    size = float(np.linalg.norm(before))
    return float(np.linalg.norm(after - before)) / size / lag if size else math.nan
