"""Numbers of things as they stand in a sentence."""

from __future__ import annotations


def count_of(number: int, thing: str) -> str:
    """The number and what it is of: "1 block", "6 blocks"."""
    return f"{number} {plural(number, thing)}"


def plural(number: int, thing: str) -> str:
    """The word for so many things."""
    return thing if number == 1 else f"{thing}s"
