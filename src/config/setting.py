"""One field of the schema with what else is known of it, and the error for a value that breaks it."""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import Any, Literal

from omegaconf import MISSING


class RequestError(ValueError):
    """The request itself is wrong. One message: the dotted key, its value, what to do. Ends with status 2."""


def setting(
    default: Any = MISSING, *, default_factory: Any = dataclasses.MISSING,
    identity: bool | Literal["where changed"] | None = None, **limits: Any,
) -> Any:  # fmt: skip
    """A field with what else is known of it.

    Args:
        identity: whether another value makes another run, which gets a directory of its own. Not what says how a run is
            watched, what only describes a model, or what another key takes its value from. `where changed`: of a key
            that came later; at its default it does not count, so that what is stored keeps its names and hashes.
            None: no run has this field.
        limits: what `resolve_config` checks: `at_least`, `at_most`, `above`, `below`, `one_of`; `word`, a word that may
            stand instead of a number; `endless`, that it may be infinite; `filled`, words, at most so many characters;
            `is_name`, one part of a path, none of `reserved`; `is_address`, one of a server or a file; `is_path`,
            whose other spellings (a slash at its end) are the same value.
    """
    metadata = limits if identity is None else {"identity": identity, **limits}
    if default_factory is not dataclasses.MISSING:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)
