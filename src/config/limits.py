"""A value of a request that lies outside of the limits that the schema states for its key."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import urlsplit

from .paths import MAX_PART, MAX_PATH, fits_disk

NAME = re.compile(r"[^\W_][\w.-]{0,99}")
"""A part of a path that is no path of its own, not hidden, and no flag."""

NAME_RULE = "a name of letters, digits, '_', '-' and '.', the first a letter or a digit, at most 100 of them"

MAX_WHOLE = 2**31 - 1
"""The largest whole number, where no key has another."""


def outside_limits(group: Any, prefix: str) -> Iterator[str]:
    """Every value of a group of settings, and of the groups in it, that breaks a limit of the schema."""
    for item in fields(group):
        value, key = getattr(group, item.name), prefix + item.name
        if is_dataclass(value):
            yield from outside_limits(value, key + ".")
        elif isinstance(value, list) and any(isinstance(entry, (list, dict)) for entry in value):
            yield f"{key}={value}: give a plain list, with nothing nested in it"
        elif value is not None:
            yield from (f"{key}={value}: must be {rule}" for rule in _broken_rules(value, item.metadata))


def _broken_rules(value: Any, limits: Any) -> Iterator[str]:
    if isinstance(value, str) and "word" in limits:
        if value != limits["word"]:
            yield f"a whole number, or {limits['word']}"
        return
    if isinstance(value, str) and {"filled", "is_name", "is_path", "is_address"} & set(limits) and not value.strip():
        yield f"a {'path' if 'is_path' in limits else 'name'}, not empty; leave it out for the default"
    elif "is_name" in limits and not NAME.fullmatch(value):
        yield NAME_RULE
    elif {"filled", "is_path", "is_address"} & set(limits) and not value.isprintable():
        yield f"without control characters, such as {next(c for c in value if not c.isprintable())!r}"
    if "filled" in limits and len(value) > limits["filled"]:
        yield f"at most {limits['filled']} characters, not {len(value):,}"
    if "is_path" in limits and not fits_disk(value):
        yield f"a path of at most {MAX_PATH:,} bytes, each part of it at most {MAX_PART}"
    if "is_address" in limits and not _is_address(value):
        yield "an address, such as http://host:5000 or sqlite:///<file>"
    if "reserved" in limits and re.fullmatch(limits["reserved"], value, re.IGNORECASE):
        yield f"another name, multirun/{value} is for something else"
    if isinstance(value, int) and value > limits.get("at_most", MAX_WHOLE):
        yield f"at most {limits.get('at_most', MAX_WHOLE)}"
        return
    if isinstance(value, float) and math.isinf(value) and "endless" not in limits:
        yield "a finite number"
    # `not (a >= b)` instead of `a < b`: a NaN fails every rule.
    if "at_least" in limits and not value >= limits["at_least"]:
        yield f"at least {limits['at_least']}"
    if "at_most" in limits and not value <= limits["at_most"]:
        yield f"at most {limits['at_most']}"
    if "above" in limits and not value > limits["above"]:
        yield f"above {limits['above']}"
    if "below" in limits and not value < limits["below"]:
        yield f"below {limits['below']}"
    if "one_of" in limits and value not in limits["one_of"]:
        yield "one of " + ", ".join(limits["one_of"])


def _is_address(uri: str) -> bool:
    try:
        return urlsplit(uri).port is None or bool(urlsplit(uri).hostname)
    except ValueError:  # a port that is none, half of an IPv6 address
        return False
