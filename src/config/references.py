"""A value of a request that refers to another one (`${key}`), and what it must come to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from omegaconf import Container, DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

MAX_SHOWN = 100
"""Characters of a value that a reference came to."""


def wrong_references(group: DictConfig | ListConfig, prefix: str = "") -> Iterator[str]:
    """Every reference that comes to nothing, or to what its key cannot be; OmegaConf lets a list come to a number."""
    names: list[Any] = list(group) if isinstance(group, DictConfig) else list(range(len(group)))
    for name in names:
        node: Any = group._get_node(name)
        key = f"{prefix}{name}"
        if OmegaConf.is_interpolation(group, name):
            yield from (f"{key}={node._value()}: {why}; give the value itself" for why in _faults(group, name, node))
        elif isinstance(node, (DictConfig, ListConfig)) and not node._is_none() and not node._is_missing():
            yield from wrong_references(node, f"{key}.")


def _faults(group: DictConfig | ListConfig, name: Any, node: Any) -> Iterator[str]:
    try:
        value = group[name]
    except OmegaConfBaseException as error:
        reason = (error.msg or str(error)).splitlines()[0]
        yield re.sub(r"^While dereferencing interpolation '.*?': ", "", reason)
        return
    if isinstance(node, Container) and not isinstance(value, type(node)):
        wanted = "a list" if isinstance(node, ListConfig) else "names with a value each"
        yield f"comes to {str(value)[:MAX_SHOWN]}, not to {wanted}"
