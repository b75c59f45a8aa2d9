"""Arrays as notebooks hold them: equal numbers give equal bits, and what is no array of numbers gets one message."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.arrays import read_array, read_diagram, read_integer, read_integers, read_number
from src.topology import compute_diagram, diagram_distance


class Unready:
    """What says that it is an array and has none."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("not yet")


HOLDERS: dict[str, Callable[[np.ndarray], Any]] = {
    "array": lambda x: x,
    "Fortran order": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "nested lists": lambda x: x.tolist(),
    "rows": lambda x: tuple(x),
    "frame": lambda x: pd.DataFrame(x),
    "frame of several types": lambda x: pd.DataFrame(x).astype({0: "float64"}),
    "nullable frame": lambda x: pd.DataFrame(x).convert_dtypes(),
    "tensor": torch.from_numpy,
    "transposed tensor": lambda x: torch.from_numpy(x.T.copy()).T,
    "sparse tensor": lambda x: torch.from_numpy(x).to_sparse(),
    "rows of tensors": lambda x: list(torch.from_numpy(x)),
}
TYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8"]


@given(
    holder=st.sampled_from(sorted(HOLDERS)), dtype=st.sampled_from(TYPES),
    order=st.sampled_from([1, 1.5, 2, 64, np.inf]), seed=st.integers(0, 10**6),
)  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_the_same_numbers_give_the_same_bits_whatever_holds_them(
    holder: str, dtype: str, order: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = (np.abs(10 * rng.normal(size=(9, 3))).astype(dtype) for _ in range(2))
    plain = [compute_diagram(cloud.astype(np.float64)) for cloud in (x, y)]
    held = [compute_diagram(HOLDERS[holder](cloud)) for cloud in (x, y)]
    for expected, found in zip(plain, held, strict=True):
        assert np.array_equal(expected, found)
    bars = [HOLDERS[holder](diagram) for diagram in plain]
    assert diagram_distance(*bars, 0, order) == diagram_distance(*plain, 0, order)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.int16, torch.bool])
def test_a_tensor_of_any_type_is_read(dtype: torch.dtype) -> None:
    given = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).to(dtype)
    assert np.array_equal(read_array(given, "x"), [[0, 1], [1, 0]])
    assert np.array_equal(read_array(torch.eye(2, requires_grad=True), "x"), np.eye(2))


@pytest.mark.parametrize("kind", [scipy.sparse.csr_array, scipy.sparse.coo_matrix])
def test_a_sparse_array_of_scipy_is_read(kind: Callable[[np.ndarray], Any]) -> None:
    assert np.array_equal(read_array(kind(np.eye(3)), "x"), np.eye(3))
    with pytest.raises(ValueError, match="complex"):
        read_array(kind(np.eye(3) * 1j), "x")


def test_nothing_is_imported_to_look_at_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("torch", "pandas"):
        monkeypatch.delitem(sys.modules, library)
    assert np.array_equal(read_array([[1, 2.5]], "x"), [[1, 2.5]])
    assert not {"torch", "pandas"} & sys.modules.keys()


def test_a_missing_value_of_a_frame_is_nan() -> None:
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [True, False]})
    np.testing.assert_array_equal(read_array(frame, "x"), [[1, 1], [np.nan, 0]])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.eye(3) * 1j, "x holds complex numbers (complex128); give real ones"),
        (torch.eye(3) * 1j, "x holds complex numbers (torch.complex64)"),
        ([[1, 2j], [3, 4]], "complex numbers"),
        (pd.DataFrame({"a": [1j, 2]}), "complex numbers"),
        (np.ma.masked_array(np.eye(3)), "x is a masked array"),
        ([np.ma.masked_array([1.0, 2.0], [0, 1])], "x is a masked array"),
        (np.array([[1, None]]), "x holds object values, not numbers; give an array of one numeric type"),
        ([["1", "2"]], "x holds <U1 values, not numbers"),
        (pd.DataFrame({"a": ["1"], "b": [2.0]}), "x holds object values"),
        (pd.DataFrame({"a": ["1"]}, dtype="category"), "x holds object values"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "x holds datetime64[D] values"),
        (b"abc", "not numbers"),
        (None, "x is a NoneType; give an array, nested lists"),
        ({0: 1.0}, "x is a dict; give an array"),
        ((row for row in [[1.0]]), "x is a generator; give an array"),
        ({1.0}, "x is a set"),
        ({0: 1.0}.values(), "x is a dict_values"),
        (Unready(), "x is no array: not yet"),
        ([[1.0, 2.0], [3.0]], "give rows of one length"),
        (torch.ones(2, device="meta"), "x: this tensor cannot be read (Cannot copy out of meta tensor"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_holds_no_real_numbers_gets_one_message(given: object, words: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are below
        read_array(given, "x")
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("given", [3, np.int64(3), np.uint8(3), np.array(3), torch.tensor(3)])
def test_a_whole_number_is_one_whatever_holds_it(given: object) -> None:
    assert read_integer(given, "lag") == 3
    assert type(read_integer(given, "lag")) is int
    assert read_number(given, "order") == 3.0


@pytest.mark.parametrize("given", [None, 1.0, np.float64(2), "1", True, [1], np.array([1, 2]), torch.tensor(1.0), 1j])
def test_another_type_is_no_whole_number(given: object) -> None:
    with pytest.raises(ValueError, match=r"lag=.*: not a whole number; give one, at least 1"):
        read_integer(given, "lag", at_least=1)


def test_a_list_that_holds_itself_has_no_end() -> None:
    endless: list[Any] = [1.0]
    endless.append(endless)
    with pytest.raises(ValueError, match="x is a list that holds itself"):
        read_array(endless, "x")


@pytest.mark.parametrize("given", [None, True, np.False_, "1", b"1"])
def test_what_is_no_number_is_named_with_its_value(given: object) -> None:
    with pytest.raises(ValueError, match=r"^order=.*: not a number; give one$"):
        read_number(given, "order")


def test_whole_numbers_are_different_and_some() -> None:
    assert read_integers(torch.tensor([0, 10, 2]), "steps") == [0, 10, 2]
    for numbers, words in (
        ([1, 1], "1 is there twice; give each once"), ([], "empty"), (3, "steps=3: give a list"),
        ([-1], "steps=-1: at least 0"), ([0, 0.5], "steps=0.5: not a whole"),
        ([0, 2**63], "at most 9223372036854775807"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            read_integers(numbers, "steps")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[0, 1]], r"a has shape \(1, 2\); give a diagram \(n_bars, 3\)"),
        (np.zeros((1, 4, 3)), "one of them"),
        ([[0, 1, 0], [0, np.nan, 0]], "a: bar 1"),
        ([[np.inf, np.inf, 0]], "a: bar 0"),
        ([[2, 1, 0]], "a death not before it"),
        ([[0, 1, 0.5]], "a whole number, at least 0"),
        ([[0, 1, -1]], "a: bar 0"),
        ([[0, 1, np.inf]], "a: bar 0"),
    ],
)
def test_what_is_no_diagram_is_refused(given: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_diagram(given, "a")


def test_a_list_of_no_bars_is_a_diagram() -> None:
    assert read_diagram([], "a").shape == (0, 3)
