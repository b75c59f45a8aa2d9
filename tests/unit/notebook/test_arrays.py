"""What `track_arrays` refuses before it looks at the series, and what it takes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import src
from src import track_arrays
from src.notebook.arrays import read_behavior
from tests.support.processes import ENVIRONMENT

X = np.random.default_rng(1).normal(size=(8, 3))
SERIES = {0: {"a": X}, 4: {"a": X * 1.1}, 8: {"a": X * 1.3}}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "a/b"}, "model.name=a/b: must be a name"),
        ({"tda": "nope"}, "tda=nope: unknown"),
        ({"tda": "none"}, "tda=none: measures nothing"),
        ({"config": {"probe.size": 8}}, "probe.size: nothing reads it of arrays"),
        ({"config": {"probe": {"pooling": "mean"}}}, "probe: nothing reads it of arrays"),
        ({"config": {"tda.pints": 8}}, "did you mean tda.points"),
        ({"config": {"tda.points": 80}}, "tda.points=80: at most probe.size=8"),
        ({"config": {"tda": 3}}, "tda=3: Merge error"),
        ({"config": 3}, "config is a int; give a dict"),
        ({"config": {"tda.weight_draws": 3}}, "tda.weight_draws=3"),
        ({"config": {"schedule": {"kind": "every", "interval": 2, "repeats": 1}}}, "the series has no checkpoint of"),
        ({"probes": ["a"]}, "1 names of 8 rows"),
        ({"behavior": {0: 3}}, "behavior: give numbers by step and name"),
    ],
    ids=str,
)
def test_a_wrong_setting_gets_one_message(place: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        track_arrays(SERIES, save=False, progress=False, **settings)
    assert not list(place.iterdir())


def test_numbers_of_the_training_are_read() -> None:
    assert read_behavior(None) == {}
    assert read_behavior({np.int64(3): {"train_loss": np.float32(0.5)}}) == {3: {"train_loss": 0.5}}
    for wrong in ({0: {"a b": 1.0}}, {0: {"a": "x"}}, {0.5: {"a": 1.0}}, [3]):
        with pytest.raises(ValueError, match="behavior"):
            read_behavior(wrong)  # type: ignore[arg-type]


def test_the_package_has_functions_and_no_others() -> None:
    with pytest.raises(AttributeError, match="its functions are track_arrays"):
        src.track_arays  # noqa: B018


def test_the_function_needs_no_torch(tmp_path: Path) -> None:
    words = "import sys; from src import track_arrays; print([m for m in ('torch', 'lightning') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, cwd=tmp_path, env=ENVIRONMENT, check=True
    )
    assert done.stdout == "[]\n"
