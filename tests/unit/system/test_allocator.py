"""What the user says of torch's allocator stands."""

from __future__ import annotations

import pytest

from src.system.allocator import SETTINGS, let_segments_grow


@pytest.mark.parametrize("name", SETTINGS)
def test_what_the_user_says_stands(name: str) -> None:
    let_segments_grow(given := {name: "max_split_size_mb:64"})
    assert given == {name: "max_split_size_mb:64"}


def test_segments_grow_by_default() -> None:
    let_segments_grow(empty := dict[str, str]())
    assert empty == {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
