"""How a cloud moved between two captures, and how much of it is one similarity transform. N points, D coordinates."""

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


def coordinates(x: np.ndarray) -> np.ndarray:
    """(N, min(N, D)) rows with the inner products of the rows of `x`: its row space in an orthonormal basis."""
    points = np.asarray(x, dtype=np.float64)
    return points if points.shape[1] <= len(points) else np.transpose(np.linalg.qr(points.T, mode="r"))


def joint_coordinates(x: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both clouds in one orthonormal basis that begins with the row space of `x`.

    Args:
        x, moved: (N, D) clouds, same rows.

    Returns:
        (N, min(N, D)) and (N, min(2N, D)): inner products are those of the clouds, where `x` is filled up with zeros.
    """
    before, after = np.asarray(x, dtype=np.float64), np.asarray(moved, dtype=np.float64)
    points, width = before.shape
    if width <= points:
        return before, after
    factor = np.transpose(np.linalg.qr(np.vstack([before, after]).T, mode="r"))
    return factor[:points, :points], factor[points:]


def project_to_row_space(seen: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`seen`, and of `x` what lies in its row space, in an orthonormal basis of that.

    Args:
        seen, x: (N, q), q > N.

    Returns:
        Two (N, N) arrays.
    """
    basis, factor = np.linalg.qr(seen.T)
    return np.transpose(factor), x @ basis


def nonrigid_movement(x: np.ndarray, moved: np.ndarray, width: int) -> np.ndarray:
    """A movement less as much of its similarity transform as movement at random would not have.

    Shifts, scalings and rotations that no distance sees say nothing of how points move against each other, so they are
    left out. But in many dimensions most of any movement is itself a rotation: what is left of pure noise then moves in
    other directions than the noise did, and none of it out of the cloud's span. So as much of the rotation is kept
    beside the residual R as makes its share of the whole that of random movement, `random_rigid_fraction`:
    R + c (P - R), P the movement without shift and scaling; all of P where there is no more of a rotation than that.

    Args:
        x, moved: (N, r) and (N, q) `joint_coordinates` of a cloud and of where it went.
        width: D, in which both lie.

    Returns:
        (N, q), centred, in the same coordinates.
    """
    base = _centred(np.pad(x, ((0, 0), (0, moved.shape[1] - x.shape[1]))))
    movement = _centred(moved) - base
    movement -= base * float((movement * base).sum() / max((base**2).sum(), np.finfo(float).tiny))
    residual = np.zeros_like(movement)
    residual[:, : x.shape[1]] = procrustes(x, coordinates(moved))
    rotation = movement - residual
    expected = random_rigid_fraction(x, np.linalg.norm(movement, axis=1), width)
    kept, left = float((rotation**2).sum()), float((residual**2).sum())
    if not (kept > 0 and 0 < expected < 1):
        return movement
    return np.asarray(residual + min(1.0, math.sqrt(expected / (1 - expected) * left / kept)) * rotation)


def procrustes(x: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """What is left of a movement when `moved` is laid over `x` by the best translation, rotation and uniform scale.

    Procrustes (Gower and Dijksterhuis, 2004, chapter 4) in the row spaces, never D x D.

    Args:
        x, moved: (N, r) `coordinates` of two clouds, same rows, each in a basis of its own.

    Returns:
        (N, r), centred, in the coordinates of `x`; zeros if one of the two lies in one place.
    """
    base, target = _centred(x), _centred(moved)
    left, singular, right = np.linalg.svd(base.T @ target)
    if not singular.sum() > 0:
        return np.zeros_like(base)
    scale = singular.sum() / (base**2).sum()
    # Seen from `x`: turned back and brought to its size, so that what is left can be added to its points.
    return np.asarray(target @ (left @ right).T / scale - base)


def rigid_fraction(x: np.ndarray, moved: np.ndarray, squared_movement: float) -> float:
    """Share of the squared displacement that the best similarity transform explains; NaN if nothing moved.

    From the singular values alone, which is cheaper than the residual.

    Args:
        x, moved: (N, r) `coordinates` of two clouds, same rows, each in a basis of its own.
        squared_movement: `||moved - x||_F^2` of the clouds themselves.
    """
    base, target = _centred(x), _centred(moved)
    if not base.any():
        return math.nan
    explained = np.linalg.svd(coordinates(base).T @ coordinates(target), compute_uv=False).sum() ** 2 / (base**2).sum()
    return _share(float((target**2).sum() - explained), squared_movement)


def _share(squared_residual: float, squared_movement: float) -> float:
    return min(1.0, max(0.0, 1 - squared_residual / squared_movement)) if squared_movement else math.nan


def random_rigid_fraction(x: np.ndarray, lengths: np.ndarray, width: int) -> float:
    """The rigid share expected if every point moved in a direction of its own, uniformly at random.

    The mean over all such movements, in closed form, to first order in their size: the squared projection on the
    tangent space of similarity transforms, {x A + c x + t}, A antisymmetric, in the singular basis of `x`.

    Args:
        x: (N, r) `coordinates` of a cloud.
        lengths: (N,) how far each point moves.
        width: D, in which the directions lie.
    """
    points = _centred(x)
    squares = np.asarray(lengths, dtype=np.float64) ** 2
    left, singular, _ = np.linalg.svd(points, full_matrices=False)
    kept = singular > singular.max(initial=0) * 1e-10
    variance = singular[kept] ** 2
    if not (kept.any() and squares.sum()):
        return math.nan
    along = (left[:, kept] ** 2).T @ squares / width  # of u_i' P in any direction
    both = variance[:, None] + variance[None, :]
    turned = np.triu((variance * along)[:, None] + (variance * along)[None, :], 1) / both
    out_of_span = (width - kept.sum()) * along.sum()
    scaled = ((points**2).sum(axis=1) @ squares) / width / variance.sum()
    shifted = squares.sum() / len(points)
    return float((turned.sum() + out_of_span + scaled + shifted) / squares.sum())


def distance_change(before: np.ndarray, after: np.ndarray) -> float:
    """`||after - before||_F / ||before||_F` of two arrays of distances, each divided by its own cloud's scale."""
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def _centred(x: np.ndarray) -> np.ndarray:
    return np.asarray(x - x.mean(axis=0))
