"""Arrays of a series: read whatever holds them, named, kept in float32, or refused with one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from src.clouds.store import layer_names, read_clouds, read_probe_hash
from src.notebook.given import GivenSeries, read_series
from src.notebook.progress import show_none

RANDOM = np.random.default_rng(3)


def cloud(rows: int = 8, width: int = 3) -> np.ndarray:
    return RANDOM.normal(size=(rows, width))


X, Y = cloud(), cloud()


def read(given: Any, rows: list[str] | None = None) -> tuple[GivenSeries, dict[int, dict[str, np.ndarray]]]:
    """What is known of a series, and its clouds."""
    with read_series(given, rows, 6, None, show_none) as series:
        return series, {step: series.read(step) for step in series.steps}


def test_whatever_holds_the_numbers_gives_the_same_series() -> None:
    plain, clouds = read({0: {"a": X}, 4: {"a": Y}})
    others = [
        [(4, {"a": Y.tolist()}), (0, {"a": X.tolist()})],
        {np.int64(0): {"a": torch.from_numpy(X)}, torch.tensor(4): {"a": torch.from_numpy(Y).requires_grad_()}},
        ((step, {"a": pd.DataFrame(x)}) for step, x in ((0, X), (4, Y))),
    ]
    for other in others:
        series, its = read(other)
        assert (series.steps, series.layers, series.rows, series.digest) == ([0, 4], ["a"], 8, plain.digest)
        assert all(np.array_equal(its[step]["a"], clouds[step]["a"]) for step in (0, 4))
    assert read({0: {"a": X}, 4: {"a": X}})[0].digest != plain.digest
    assert read({0: {"a": X}, 5: {"a": Y}})[0].digest != plain.digest


def test_rows_that_have_names_are_known_by_them() -> None:
    names = [f"{n}.png" for n in range(8)]
    one, other = (read({0: {"a": x}, 1: {"a": Y}}, names)[0] for x in (X, X + 1))
    assert one.probe_hash == other.probe_hash
    assert one.digest != other.digest
    assert read({0: {"a": X}, 1: {"a": Y}}, names[::-1])[0].probe_hash != one.probe_hash


def test_the_first_step_stands_for_step_0(tmp_path: Path) -> None:
    with read_series({7: {"a": X}, 9: {"a": Y}}, None, 6, None, show_none) as series:
        for step in (0, 7, 9):
            series.write(tmp_path / f"{step}", step)
    first, own, later = (read_clouds(tmp_path / str(step))["a"] for step in (0, 7, 9))
    assert np.array_equal(first, own)
    assert not np.array_equal(own, later)
    assert read_probe_hash(tmp_path / "0") == series.probe_hash
    assert layer_names(tmp_path / "0") == ["a"]


def test_one_step_is_in_memory_at_a_time() -> None:
    asked: list[int] = []

    class Lazy(dict[int, object]):
        def __getitem__(self, step: int) -> object:
            asked.append(step)
            return {"a": X * (1 + step)}

    assert read(Lazy.fromkeys([2, 0, 1]))[0].steps == [0, 1, 2]
    assert asked == [2, 0, 1], "each once"


NAN = np.where(np.arange(24).reshape(8, 3) == 4, np.nan, X)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({0: {"a": X}, 1: {"a": NAN}}, r"series\[1\]\['a'\]: point 1 has a coordinate that is not finite"),
        ({0: {"a": X}, 1: {"a": cloud(8, 4)}}, r"series\[1\]\['a'\] has shape \(8, 4\), and \(8, 3\) at step 0"),
        ({0: {"a": X}, 1: {"a": cloud(9)}}, r"series\[1\]\['a'\] has shape \(9, 3\), and \(8, 3\) at step 0"),
        ({0: {"a": X, "b": cloud(9)}}, r"series\[0\] has \{'a': 8, 'b': 9\} rows; give the same rows"),
        ({0: {"a": X, "b": X}, 1: {"a": X}}, r"series\[1\] has the layers 'a', the first step 'a', 'b'"),
        ([(0, {"a": X}), (0, {"a": X})], "step 0 is there twice"),
        ({0: {"a": X}}, "1 step, so nothing moves"),
        ({}, "0 steps, so nothing moves"),
        ({0: {}}, r"series\[0\] is empty"),
        ({0: X}, r"series\[0\] is a ndarray; give \(N, D\) by layer"),
        ({0: {"a": X[None]}}, r"series\[0\]\['a'\] has shape \(1, 8, 3\); give \(N, D\)"),
        (X, "its part 0 is a ndarray; give pairs"),
        (3, "series is a int; give a dict"),
        ({0: {"a": X[:5]}}, "5 rows; give at least 6"),
        ({0.5: {"a": X}}, "step of series=0.5: not a whole number"),
        ({True: {"a": X}}, "step of series=True"),
        ({-1: {"a": X}}, "step of series=-1: at least 0"),
        ({2**40: {"a": X}}, "at most 2147483647"),
        ({0: {"a/b": X}}, "layer 'a/b': must be a name"),
        ({0: {"mean": X}}, "layer 'mean': must be a name"),
        ({0: {"a": X, 1: X}}, "all of them numbers, or all of them names"),
        ({0: {"b1": X, "b01": X}}, "two of them become one name"),
        ({0: {"a": X * 1e40}}, "which float32, in which clouds are stored, does not hold"),
        ({0: {"a": X * 1e-40}}, "which float32, in which clouds are stored, does not hold"),
        ({0: {"a": 1e6 + 1e-3 * X}, 1: {"a": 1e6 + 1.01e-3 * X}}, r"series\[1\]\['a'\] moved so little since step 0"),
    ],
)
def test_what_is_no_series_gets_one_message(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message), read_series(given, None, 6, tmp_path / "multirun", show_none):
        raise AssertionError("it was accepted")
    assert not list(tmp_path.iterdir()), "nothing stays"


@pytest.mark.parametrize(
    ("rows", "message"),
    [(["a"], "1 names of 8 rows"), ("abcdefgh", "give a list of names"), ([1] * 8, "give a list of names")],
)
def test_names_of_rows_are_checked(rows: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read({0: {"a": X}, 1: {"a": Y}}, rows)


def test_what_does_not_move_is_no_loss_and_what_is_far_but_moves_is_kept() -> None:
    assert read({0: {"a": X + 1e6}, 1: {"a": X + 1e6}})[0].rows == 8
    assert read({0: {"a": X * 1e-20}, 1: {"a": Y * 1e-20}})[0].rows == 8
