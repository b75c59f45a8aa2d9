"""Persistence diagrams: which engine computes them, and their one format.

The only importer of giotto's packages, and a late one: it takes a while, and they are not everywhere.

A diagram is a float64 array (n_bars, 3) of rows (birth, death, dimension): no padding, no zero-length bar, and no
infinite bar unless asked for.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import read_array, read_integer, read_number, read_points
from .distances import pairwise_distances, power_of_two
from .edges import bits_of, is_sound
from .reduced_rips import MAX_POINTS, TooMuch, component_and_loop_bars, component_deaths

ENGINES = ("auto", "giotto", "gudhi", "reduced_rips")
MAX_PRIME = 127
"""giotto-ph has a signed byte for a coefficient: it crashes at 131, and never ends at 251."""
FARTHEST = float(np.finfo(np.float32).max)
"""The longest length that the engines tell from an infinite one."""


def compute_diagram(
    x: ArrayLike, max_dimension: int = 1, metric: str = "euclidean", engine: str = "auto", max_length: float = np.inf,
    coefficient: int = 2, essential: bool = False,
) -> np.ndarray:  # fmt: skip
    """Vietoris-Rips persistence of points or of a distance matrix.

    Args:
        x: (N, D) points, or (N, N) distances with `metric="precomputed"`: an array, nested lists, a tensor or a frame
            of any real type.
        max_dimension: highest homology dimension, at least 0.
        metric: `euclidean`, `cosine` or `precomputed`.
        engine: `reduced_rips`, ours, for H0 and H1 over Z/2; `giotto`, giotto-ph, or `gudhi` for everything; `auto`:
            ours where it can, else giotto-ph where it is installed, else GUDHI. All give the same bars, bit for bit.
        max_length: longest edge that enters the filtration, at least 0, in units of the distances.
        coefficient: prime p of the field Z/p.
        essential: keep bars that never die; otherwise every row is finite.

    Returns:
        float64 (n_bars, 3): birth, death, dimension, lengths as float32 resolves them.

    Raises:
        ValueError: on values that are not finite or no real numbers, a matrix that is not symmetric or has a non-zero
            diagonal, fewer than 3 points, a number out of range, or an engine that cannot do what is asked or is not
            installed.
    """
    max_dimension, coefficient = read_integer(max_dimension, "max_dimension"), _read_prime(coefficient)
    max_length = _read_length(max_length)
    if not isinstance(essential, (bool, np.bool_)):
        raise ValueError(f"essential={essential!r}: give True or False")
    read = read_array(x, "x") if metric == "precomputed" else read_points(x, "x")
    _check_count(read)
    given = read if metric == "precomputed" else pairwise_distances(read, metric)
    # Both engines compute in float32, whose range ends long before that of the given lengths.
    unit = power_of_two(given) if np.isfinite(given).all() else 1.0
    distances = check_distances(given if unit == 1 else given / unit)
    if engine not in ENGINES:
        raise ValueError(f"engine={engine}: use one of {', '.join(ENGINES)}")
    bars, max_length = None, max_length / unit
    max_length = max_length if max_length <= FARTHEST else np.inf
    if engine == "giotto" and not has_giotto():
        raise ValueError("engine=giotto: giotto-ph is not installed here; use auto or gudhi")
    if engine in ("auto", "reduced_rips"):
        bars = _try_reduced_rips(distances, max_dimension, max_length, coefficient)
        if bars is None and engine == "reduced_rips":
            raise ValueError(
                f"engine=reduced_rips: does H0 and H1 over Z/2 of up to {MAX_POINTS} points with some geometry, not H"
                f"{max_dimension} over Z/{coefficient} of these {len(distances)}; use engine=auto"
            )
    if bars is None:
        by_library = _giotto_bars if engine == "giotto" or (engine == "auto" and has_giotto()) else _gudhi_bars
        bars = by_library(distances, max_dimension, max_length, coefficient)
    rows = [np.column_stack([bar, np.full(len(bar), dimension)]) for dimension, bar in enumerate(bars)]
    return clean_diagram(np.concatenate(rows) * [unit, unit, 1.0], essential=essential)


def _read_length(max_length: object) -> float:
    length = read_number(max_length, "max_length")
    if not length >= 0:
        raise ValueError(f"max_length={length}: at least 0, or numpy.inf for no limit")
    return length


def _read_prime(coefficient: object) -> int:
    prime = read_integer(coefficient, "coefficient", at_least=2)
    if prime > MAX_PRIME or any(prime % factor == 0 for factor in range(2, prime)):
        raise ValueError(f"coefficient={prime}: give a prime up to {MAX_PRIME}")
    return prime


def _try_reduced_rips(
    distances: np.ndarray, max_dimension: int, max_length: float, coefficient: int
) -> list[np.ndarray] | None:
    """(n_bars, 2) arrays by dimension; None where another engine is needed."""
    if max_dimension > 1 or len(distances) > MAX_POINTS or (max_dimension == 1 and coefficient != 2):
        return None
    if max_dimension == 0:
        deaths, higher = component_deaths(distances, max_length), []
    else:
        try:
            deaths, loops = component_and_loop_bars(distances, max_length)
        except TooMuch:
            return None
        higher = [loops]
    endless = np.full(len(distances) - len(deaths), np.inf)
    deaths = np.concatenate([deaths, endless])
    return [np.column_stack([np.zeros(len(deaths)), deaths]), *higher]


def _giotto_bars(distances: np.ndarray, max_dimension: int, max_length: float, coefficient: int) -> list[np.ndarray]:
    from gph import ripser_parallel

    bars: list[np.ndarray] = ripser_parallel(
        distances, maxdim=max_dimension, thresh=max_length, coeff=coefficient, metric="precomputed"
    )["dgms"]
    return bars


def has_giotto() -> bool:
    """Whether giotto-ph is installed; nothing is imported."""
    return find_spec("gph") is not None


def _gudhi_bars(distances: np.ndarray, max_dimension: int, max_length: float, coefficient: int) -> list[np.ndarray]:
    from gudhi.sklearn.rips_persistence import RipsPersistence

    longest = float(np.float32(max_length))  # as the distances are rounded, and as giotto-ph takes it
    rips = RipsPersistence(
        range(max_dimension + 1), threshold=longest, input_type="full distance matrix",
        homology_coeff_field=coefficient,
    )  # fmt: skip
    return [np.reshape(bars, (-1, 2)) for bars in rips.fit_transform([distances])[0]]


def check_distances(x: np.ndarray) -> np.ndarray:
    """`x` as float32 if it is a distance matrix, as far as float32 resolves it.

    Raises:
        ValueError: saying what it is not.
    """
    given = np.asarray(x)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise ValueError(f"a distance matrix is square, this one has shape {given.shape}")
    with np.errstate(over="ignore"):  # what becomes infinite is refused below
        distances = given.astype(np.float32)
    if is_sound(bits_of(distances)):
        return distances
    if not np.isfinite(distances).all():
        # giotto-ph answers a NaN with N infinite bars instead of an error.
        raise ValueError("the distance matrix has an entry that is not finite")
    if np.diagonal(distances).any():
        # giotto-ph reads a non-zero diagonal as vertex births.
        raise ValueError("the diagonal of the distance matrix is not zero")
    if not np.array_equal(distances, distances.T):
        raise ValueError("the distance matrix is not symmetric")
    if (distances < 0).any():
        raise ValueError("the distance matrix has a negative entry")
    return np.abs(distances)  # some zero had a sign


def _check_count(points: np.ndarray) -> None:
    if len(points) < 3:
        raise ValueError(f"{len(points)} points have no shape: at least 3 are needed")


def clean_diagram(bars: np.ndarray, *, essential: bool = False) -> np.ndarray:
    """Rows (birth, death, dimension) without padding, zero-length bars and, unless `essential`, infinite bars."""
    bars = np.asarray(bars, dtype=np.float64).reshape(-1, 3)
    keep = bars[:, 1] > bars[:, 0]
    if not essential:
        keep &= np.isfinite(bars[:, 1])
    kept = bars[keep]
    # Sorted, so that equal diagrams are equal arrays whatever engine made them.
    return kept[np.lexsort((kept[:, 1], kept[:, 0], kept[:, 2]))]


class Transformer(Protocol):
    """What giotto-tda's homology transformers have in common."""

    def fit_transform(self, x: np.ndarray) -> np.ndarray: ...


def apply_transformer(transformer: Transformer, x: np.ndarray) -> np.ndarray:
    """The diagram that a giotto-tda transformer makes of one cloud.

    Args:
        transformer: maps (1, N, ...) to padded (1, n, 3) diagrams.
        x: what the transformer takes: (N, N) distances or (N, D) points.

    Returns:
        float64 (n_bars, 3): birth, death, dimension.
    """
    _check_count(x)
    diagrams = np.asarray(transformer.fit_transform(x[None]))
    if diagrams.ndim != 3 or diagrams.shape[::2] != (1, 3):
        raise ValueError(f"{type(transformer).__name__} made an array of shape {diagrams.shape}, no (1, n, 3) diagrams")
    return clean_diagram(diagrams[0])
