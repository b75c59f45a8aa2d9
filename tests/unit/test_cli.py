"""The words of a command line, before Hydra reads them."""

from __future__ import annotations

import pytest

from src.cli import order_words


@pytest.mark.parametrize(
    "line",
    [
        "model=tiny seed=0,1 -m", "-m model=tiny seed=0,1", "model=tiny -m seed=0,1",
    ],
)  # fmt: skip
def test_a_flag_may_stand_anywhere(line: str) -> None:
    assert order_words(line.split()) == ["model=tiny", "seed=0,1", "-m"]


@pytest.mark.parametrize(
    ("line", "ordered"),
    [
        ("--cfg job model=tiny", "model=tiny --cfg job"),
        ("--info model=tiny", "model=tiny --info"),
        ("--cfg=job ~tda.points +x=1 ++y=2", "~tda.points +x=1 ++y=2 --cfg=job"),
        ("-m model seed=-1", "model seed=-1 -m"),
        ("", ""),
    ],
)
def test_what_belongs_to_a_flag_stays_behind_it(line: str, ordered: str) -> None:
    assert order_words(line.split()) == ordered.split()
