"""What a `_target_` may name: its spelling, before anything is imported. The object is judged where it is made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from .transformer import OWN_PREFIXES, parts_of

ALLOWED = ("gtda.", "sklearn.", *(f"{prefix}topology." for prefix in OWN_PREFIXES))
"""How a target must begin that the command line does not allow by its name."""

_NAME = re.compile(r"[a-zA-Z]\w*(\.[a-zA-Z]\w*)+", re.ASCII)
"""No part begins with an underscore: what is private to a library is none of its transformers."""

_SPECIAL = ("_target_", "_args_", "_partial_", "_convert_")
"""Hydra's keys that are read in a transformer; `_convert_` changes nothing, all values are plain."""


GIOTTO = "gtda"
"""giotto-tda, which is installed only where there are wheels of it."""


def missing_library(transformer: Any) -> Iterator[str]:
    """What is wrong with the first target of giotto-tda where that is not installed; it is looked for, not imported."""
    targets = [str(part.get("_target_")) for part in parts_of(transformer)]
    missing = [target for target in targets if target.startswith(f"{GIOTTO}.")]
    if missing and find_spec(GIOTTO) is None:
        yield (
            f"tda.transformer._target_={missing[0]}: needs giotto-tda, which is not installed here; take a Python from "
            "3.10 to 3.12 on a machine with wheels of it (README.md, Install), or tda=vietoris_rips, layers, h2 or cech"
        )


def target_problems(transformer: Any, allow: Sequence[str]) -> Iterator[str]:
    """What is wrong with the targets of a transformer and with the keys beside them, nested ones too.

    Args:
        transformer: as it stands in the configuration.
        allow: targets that the command line names beside those that always may be.
    """
    for name in allow:
        if not _NAME.fullmatch(name):
            yield f"tda.allow=[{name}]: no dotted name of a class or function, such as mypackage.MyTransformer"
    for part in parts_of(transformer):
        for key in part:
            if str(key).startswith("_") and key not in _SPECIAL:
                yield f"tda.transformer.{key}: not read here; drop it"
        if part.get("memory") is not None:
            yield (
                f"tda.transformer.memory={part['memory']}: a cache is a folder of pickles, and reading one runs what "
                "is in it; drop it"
            )
        if "_target_" not in part:
            continue
        target = str(part["_target_"])
        if target not in allow and not (target.startswith(ALLOWED) and _NAME.fullmatch(target)):
            yield (
                f"tda.transformer._target_={target}: must begin with one of {', '.join(ALLOWED)}, or be named on the "
                f"command line: tda.allow=[<name>] runs its code"
            )
