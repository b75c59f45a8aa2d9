"""Numbers of things in words."""

from __future__ import annotations

import pytest

from src.system.words import count_of


@pytest.mark.parametrize(("number", "words"), [(0, "0 blocks"), (1, "1 block"), (6, "6 blocks")])
def test_one_thing_alone_is_no_plural(number: int, words: str) -> None:
    assert count_of(number, "block") == words
