"""What layers that somebody names are called here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..clouds.layers import layer_name
from ..config.limits import NAME
from ..metrics.table import MEAN


def name_layers(given: Sequence[int | str]) -> dict[int | str, str]:
    """What layers are called in files, tables and charts, which order them as texts: numbers padded with zeros.

    A number becomes `layer_03`. Names that would be in another order than they were given in get their place in front.

    Raises:
        ValueError: if a name is no name of a file, or two become one.
    """
    if len({type(key) for key in given}) > 1:
        raise ValueError(f"layers {enumerate_names(given)}: give all of them numbers, or all of them names")
    numbers = [number for key in given for number in re.findall(r"\d+", str(key))]
    width = max([2 if isinstance(given[0], int) else 1, *(len(number) for number in numbers)])
    names = {key: re.sub(r"\d+", lambda digits: digits[0].zfill(width), _plain_name(key)) for key in given}
    if len(set(names.values())) < len(names):
        raise ValueError(
            f"layers {enumerate_names(given)}: two of them become one name with zeros in front; rename one"
        )
    if list(names.values()) == sorted(names.values()):
        return names
    if isinstance(given[0], int):
        return {key: names[key] for key in sorted(names, key=int)}
    places = len(str(len(names)))
    return {key: f"{place:0{places}d}_{name}" for place, (key, name) in enumerate(names.items(), start=1)}


def _plain_name(key: int | str) -> str:
    if isinstance(key, int):
        return layer_name(key)
    if not NAME.fullmatch(key) or key == MEAN:
        raise ValueError(
            f"layer {key!r}: must be a name of letters, digits, '_', '-' and '.', the first a letter or a digit, "
            f"and not {MEAN!r}, which stands for all of them"
        )
    return key


def enumerate_names(names: Iterable[object]) -> str:
    """As they stand in a message; of many the first ones and the last."""
    words = [repr(name) for name in names]
    return ", ".join(words if len(words) <= 6 else [*words[:4], "...", words[-1]])
