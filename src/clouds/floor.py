"""What is captured twice to know the rounding of the capture: which probes, and what their two movements tell."""

from __future__ import annotations

import numpy as np

REFERENCE_PROBES = 32
"""Captured in full float32 as well."""


def reference_rows(count: int) -> np.ndarray:
    """Which of `count` probes are captured twice: some of them, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, REFERENCE_PROBES)).round().astype(int))


def movement_error(clouds: tuple[np.ndarray, np.ndarray], references: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """What the arithmetic of the capture adds to the movement of a pair.

    Args:
        clouds: (N, D) at both steps, as captured.
        references: (m, D) the `reference_rows` of both in full float32.

    Returns:
        float64 (m, D), the movement as captured less the movement in full float32, each row relative to the length of
        its activation: rounding is relative.
    """
    rows = reference_rows(len(clouds[0]))
    before, after = (cloud[rows].astype(np.float64) for cloud in clouds)
    finer = references[1].astype(np.float64) - references[0]
    lengths = np.linalg.norm(before, axis=1, keepdims=True)
    return np.asarray((after - before - finer) / np.where(lengths > 0, lengths, 1))


def draw_error(cloud: np.ndarray, error: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise of the size and covariance of `error` for each of (N, D) activations: random combinations of its rows."""
    parts = rng.standard_normal((len(cloud), len(error))) @ error / np.sqrt(len(error))
    return np.asarray(parts * np.linalg.norm(cloud.astype(np.float64), axis=1, keepdims=True))
