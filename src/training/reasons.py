"""What a library says is wrong, short enough for one message."""

from __future__ import annotations

from collections.abc import Sequence

from safetensors import SafetensorError

MAX_REASON = 300
"""Characters of a library's message that are passed on."""
MAX_NAMED = 5
"""Weights that a message names."""


def first_words(error: Exception) -> str:
    """One line that is not too long; with the error's type where the words need that."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    reason = lines[0] if lines else ""
    # A heading alone says nothing: what is wrong stands below it.
    reason = " ".join(lines[:2]) if reason.endswith(":") else reason
    if not isinstance(error, (OSError, ValueError, ImportError, RuntimeError, SafetensorError)):
        reason = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    reason = reason or type(error).__name__
    return reason if len(reason) <= MAX_REASON else reason[:MAX_REASON] + " ..."


def list_names(names: Sequence[str]) -> str:
    """The first of them, and how many more."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
