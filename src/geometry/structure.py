"""How one cloud lies in its space, and how alike two clouds are. Shapes: N points, D coordinates."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import entr


def describe(x: np.ndarray, base: np.ndarray) -> dict[str, float]:
    """Every quantity of this module but the intrinsic dimension, by name; NaN where one is not defined.

    Args:
        x: (N, D) cloud.
        base: (N, D) the same probes at step 0.
    """
    gram = centred_gram(x)
    spectrum = np.linalg.eigvalsh(gram)
    return {
        "effective_rank": effective_rank(spectrum),
        "participation_ratio": participation_ratio(spectrum),
        "cka_to_base": gram_alignment(gram, centred_gram(base)),
        "anisotropy": anisotropy(x),
        "dominant_share": dominant_share(x),
        "mean_norm": float(np.linalg.norm(x.astype(np.float64, copy=False), axis=1).mean()),
    }


def centred_gram(x: np.ndarray) -> np.ndarray:
    """(N, N) inner products about the mean, float64; its eigenvalues are N times those of the covariance."""
    centred = np.asarray(x, dtype=np.float64) - np.asarray(x, dtype=np.float64).mean(axis=0)
    return np.asarray(centred @ centred.T)


def effective_rank(spectrum: np.ndarray) -> float:
    """exp of the entropy of the singular values as shares of their sum (Roy and Vetterli, EUSIPCO 2007).

    Args:
        spectrum: eigenvalues of the centred Gram matrix or of the covariance.

    Returns:
        From 1, everything on one line, to the number of dimensions, all alike; NaN for a cloud in one place.
    """
    values = _without_rounding(spectrum)
    if not len(values):
        return math.nan
    singular = np.sqrt(values)
    return float(np.exp(entr(singular / singular.sum()).sum()))


def participation_ratio(spectrum: np.ndarray) -> float:
    """(sum of eigenvalues)^2 / sum of their squares: the number of directions that carry the variance.

    Args:
        spectrum: eigenvalues of the centred Gram matrix or of the covariance.
    """
    values = _without_rounding(spectrum)
    return float(values.sum() ** 2 / (values**2).sum()) if len(values) else math.nan


def _without_rounding(spectrum: np.ndarray) -> np.ndarray:
    """Eigenvalues above what float64 leaves of a zero one."""
    largest = spectrum.max(initial=0.0)
    return spectrum[spectrum > largest * len(spectrum) * np.finfo(np.float64).eps]


def gram_alignment(a: np.ndarray, b: np.ndarray) -> float:
    """Linear centred kernel alignment (Kornblith et al., ICML 2019) from two centred Gram matrices.

    1 is the same shape. Blind to rotation, translation and uniform scaling; NaN if one cloud lies in one place.
    """
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / size if size else math.nan


def anisotropy(x: np.ndarray) -> float:
    """Mean cosine between different points, seen from the origin (Ethayarajh, EMNLP 2019); points at 0 are left out."""
    points = np.asarray(x, dtype=np.float64)
    norms = np.linalg.norm(points, axis=1)
    directions = points[norms > 0] / norms[norms > 0, None]
    count = len(directions)
    if count < 2:
        return math.nan
    return float((np.linalg.norm(directions.sum(axis=0)) ** 2 - count) / (count * (count - 1)))


def dominant_share(x: np.ndarray) -> float:
    """Share of the summed squared pairwise distances that the two coordinates with the largest variance carry.

    Some coordinates of large models are a hundred times wider than the rest; structure in the others then hardly shows
    in Euclidean distances. The sum over all pairs is N^2 times the sum of the variances, coordinate by coordinate.

    Args:
        x: (N, D), D at least 2.

    Returns:
        From 2 / D, all alike, to 1; NaN for a cloud in one place.
    """
    variances = np.sort(np.asarray(x, dtype=np.float64).var(axis=0))
    total = float(variances.sum())
    return float(variances[-2:].sum()) / total if total else math.nan


def intrinsic_dimension(distances: np.ndarray) -> float:
    """Two nearest neighbours (Facco et al., doi:10.1038/s41598-017-11873-y), by maximum likelihood without bias.

    Args:
        distances: (N, N) Euclidean; points that coincide with another are left out.

    Returns:
        (n - 1) / sum(log(r2 / r1)) over the n points with two neighbours at different places; NaN if there are too few.
    """
    off = distances + np.where(np.eye(len(distances), dtype=bool), np.inf, 0)
    nearest = np.partition(off, 1, axis=1)[:, :2]
    usable = nearest[nearest[:, 0] > 0]
    growth = float(np.log(usable[:, 1] / usable[:, 0]).sum())
    return (len(usable) - 1) / growth if len(usable) > 2 and growth > 0 else math.nan
