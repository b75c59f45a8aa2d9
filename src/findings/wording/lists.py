"""Lists of names and numbers as they stand in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def join_all(items: Sequence[object]) -> str:
    """All of them: "a", "a and b", "a, b and c"."""
    texts = list(map(str, items))
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def join_first(items: Sequence[object], limit: int) -> str:
    """So many of them and how many follow: "a, b and 3 more"."""
    rest = len(items) - limit
    return ", ".join(map(str, items[:limit])) + (f" and {rest} more" if rest > 0 else "")
