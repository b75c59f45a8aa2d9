"""Numbers of things as they stand in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def count_of(number: int, thing: str) -> str:
    """The number and what it is of: "1 block", "6 blocks"."""
    return f"{number} {plural(number, thing)}"


def plural(number: int, thing: str) -> str:
    """The word for so many things."""
    return thing if number == 1 else f"{thing}s"


def enumerate_some(things: Sequence[str], most: int = 3) -> str:
    """The first few, and how many more there are: "a, b, c and 4 more"."""
    more = len(things) - most
    return ", ".join(things[:most]) + (f" and {more} more" if more > 0 else "")
