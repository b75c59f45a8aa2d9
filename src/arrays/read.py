"""Arrays and numbers as notebooks hold them, read into plain ones: the one door of every function that takes arrays.

What is read comes as float64 in C order, so that the same numbers give the same bits whatever held them. Neither torch
nor pandas is imported: a value can be a tensor or a frame only where somebody has loaded its library.
"""

from __future__ import annotations

import operator
import reprlib
import sys
from typing import Any

import numpy as np

LARGEST = 2**63 - 1


def read_array(given: object, name: str) -> np.ndarray:
    """Numbers in whatever holds them, as an array of float64 in C order.

    Args:
        given: a NumPy array or what becomes one, nested lists, a torch tensor of any type on any device, a pandas frame
            (a missing value becomes NaN), a sparse array of SciPy, or lists of these.
        name: of the argument, for messages.

    Raises:
        ValueError: if it holds complex numbers, objects or strings, masks something, or has rows of unequal lengths.
    """
    try:
        plain = _unwrap(given, name)
    except RecursionError as error:
        raise ValueError(f"{name} is a list that holds itself; give rows of one length") from error
    try:
        array = np.asarray(plain)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:  # `__array__` is anybody's code
        raise ValueError(
            f"{name} is no array: {next(iter(str(error).splitlines()), type(error).__name__)}; give rows of one "
            "length, in the memory of the CPU"
        ) from error
    if array.dtype == object and not array.ndim:  # NumPy makes an array of one out of what it does not know
        raise ValueError(f"{name} is a {type(given).__name__}; give an array, nested lists, a tensor or a frame")
    if not np.can_cast(array.dtype, np.float64, "same_kind"):
        raise ValueError(_describe_type(name, array.dtype))
    with np.errstate(
        over="ignore"
    ):  # a long double out of range becomes infinite, and that is refused where it matters
        return np.ascontiguousarray(array, dtype=np.float64).reshape(array.shape)  # it makes a number an array of one


def read_points(given: object, name: str) -> np.ndarray:
    """`read_array` of (N, D) points.

    Raises:
        ValueError: also if the shape is another, or a coordinate is not finite.
    """
    points = read_array(given, name)
    if points.ndim != 2 or not points.shape[1]:
        raise ValueError(f"{name} has shape {points.shape}; give (N, D), one row a point")
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{name}: point {int(finite.argmin())} has a coordinate that is not finite; leave the point out"
        )
    return points


def read_diagram(given: object, name: str) -> np.ndarray:
    """`read_array` of a (n_bars, 3) diagram: birth, death, dimension. A bar may have no end.

    Raises:
        ValueError: also if the shape is another, a birth is not finite, or a death is NaN or before its birth.
    """
    bars = read_array(given, name)
    if bars.shape == (0,):  # an empty list
        return bars.reshape(0, 3)
    if bars.ndim != 2 or bars.shape[1] != 3:
        raise ValueError(
            f"{name} has shape {bars.shape}; give a diagram (n_bars, 3): birth, death, dimension (where "
            "giotto-tda makes several, one of them)"
        )
    births, deaths, dimensions = bars.T
    sound = np.isfinite(births) & (deaths >= births) & (dimensions >= 0) & (dimensions == np.floor(dimensions))
    sound &= np.isfinite(dimensions)
    if not sound.all():
        row = int(sound.argmin())
        raise ValueError(
            f"{name}: bar {row} is {bars[row].tolist()}; give a birth, a death not before it, a dimension: a whole "
            "number, at least 0"
        )
    return bars


def read_number(given: object, name: str) -> float:
    """One real number, in whatever holds it; it may be NaN or infinite.

    Raises:
        ValueError: if it is none, also one that stands for yes or no.
    """
    if given is None or isinstance(given, (bool, np.bool_, str, bytes)):
        raise ValueError(f"{name}={given!r}: not a number; give one")
    number = read_array(given, name)
    if number.ndim:
        raise ValueError(f"{name} has shape {number.shape}; give one number")
    return float(number)


def read_integer(given: Any, name: str, at_least: int = 0) -> int:
    """A whole number of Python, NumPy or torch.

    Raises:
        ValueError: if it is of another type, also one that happens to be whole (1.0, True), or below `at_least`.
    """
    try:
        number = None if isinstance(given, bool) else operator.index(given)
    except (TypeError, ValueError, RuntimeError):  # torch has its own
        number = None
    if number is None:
        raise ValueError(f"{name}={reprlib.repr(given)}: not a whole number; give one, at least {at_least}")
    if number < at_least:
        raise ValueError(f"{name}={number}: at least {at_least}")
    return number


def read_integers(given: Any, name: str, at_least: int = 0) -> list[int]:
    """Different whole numbers, in their order.

    Raises:
        ValueError: if there are none, one is none or above 2**63 - 1, or one is there twice.
    """
    try:
        numbers = [read_integer(item, name, at_least) for item in given]
    except TypeError as error:
        raise ValueError(f"{name}={reprlib.repr(given)}: give a list of whole numbers") from error
    if not numbers:
        raise ValueError(f"{name}: empty; give at least one whole number")
    if max(numbers) > LARGEST:
        raise ValueError(f"{name}={max(numbers)}: at most {LARGEST}, which a table can hold")
    twice = [number for place, number in enumerate(numbers) if number in numbers[:place]]
    if twice:
        raise ValueError(f"{name}: {twice[0]} is there twice; give each once")
    return numbers


def _unwrap(given: Any, name: str) -> Any:
    """What NumPy reads without loss: tensors and frames as arrays, also those in lists."""
    if isinstance(given, (list, tuple)):
        return given if {int, float}.issuperset(map(type, given)) else [_unwrap(item, name) for item in given]
    if isinstance(given, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array, whose masked values would be read; leave them out, or fill them")
    # Not loaded, not there: isinstance of an empty tuple is False.
    if isinstance(given, getattr(sys.modules.get("torch"), "Tensor", ())):
        return _tensor_values(given, name)
    sparse = sys.modules.get("scipy.sparse")
    if isinstance(given, (getattr(sparse, "sparray", ()), getattr(sparse, "spmatrix", ()))):
        dense: np.ndarray = given.toarray()  # type: ignore[union-attr]
        return dense
    pandas = sys.modules.get("pandas")
    if isinstance(given, (getattr(pandas, "DataFrame", ()), getattr(pandas, "Series", ()))):
        return _frame_values(given)
    return given


def _tensor_values(tensor: Any, name: str) -> np.ndarray:
    """float64, from any type that torch has and NumPy may not (bfloat16), any device, dense or sparse."""
    if tensor.is_complex():
        raise ValueError(_describe_type(name, tensor.dtype))
    try:
        # First to the CPU: not every accelerator has float64.
        values: np.ndarray = tensor.detach().cpu().to_dense().double().resolve_neg().numpy()
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"{name}: this tensor cannot be read ({str(error).splitlines()[0]})") from error
    return values


def _frame_values(frame: Any) -> np.ndarray:
    types = [frame.dtype] if frame.ndim == 1 else list(frame.dtypes)
    if all(column.kind in "biuf" for column in types):
        values: np.ndarray = frame.to_numpy(dtype=np.float64, na_value=np.nan)  # columns of several types, or with gaps
        return values
    return np.asarray(frame.to_numpy())


def _describe_type(name: str, dtype: object) -> str:
    if "complex" in str(dtype):
        return f"{name} holds complex numbers ({dtype}); give real ones, such as real and imaginary parts side by side"
    return f"{name} holds {dtype} values, not numbers; give an array of one numeric type, such as float64"
