"""What makes a run this very run: the keys and values that count, and their hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from pathlib import PurePath
from typing import Any

from ..system.secrets import redacted
from .commands import CompareConfig
from .schema import Config


def plain(config: Any) -> dict[str, Any]:
    """The configuration as nested dictionaries of plain values."""
    return asdict(config)


def literal(nested: Any) -> Any:
    """Values as OmegaConf has to be given them, or to find them in a file, to take `${...}` in them for text."""
    return _in_strings(nested, re.compile(r"(\\*)\$\{"), r"\1\1\\${")


def inert(nested: Any) -> Any:
    """What was read from a file, with every reference in it turned into text.

    A configuration is resolved before it is stored, so nothing is lost. Whoever hands one on could have it read an
    environment variable of those who look at it.
    """
    return _in_strings(nested, re.compile(r"(?<!\\)((?:\\\\)*)\$\{"), r"\1\\${")


def _in_strings(nested: Any, pattern: re.Pattern[str], replacement: str) -> Any:
    if isinstance(nested, dict):
        return {key: _in_strings(value, pattern, replacement) for key, value in nested.items()}
    if isinstance(nested, list):
        return [_in_strings(value, pattern, replacement) for value in nested]
    return pattern.sub(replacement, nested) if isinstance(nested, str) else nested


def flatten(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"trainer": {"max_steps": 1}}` as `{"trainer.max_steps": 1}`."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key: value}
    return flat


def identity(config: Config | CompareConfig) -> dict[str, Any]:
    """Flat keys and values that make this run what it is: those that the schema marks so, paths in one spelling.

    Without secrets, so that it is that of the stored configuration.
    """
    identifying = tuple(f"{key}." for key in identity_keys(type(config)))
    later, paths = dict(later_keys(type(config))), set(path_keys(type(config)))
    # What lies below a key, a weight of `objective.weights`, belongs to it.
    flat = [
        (key, redacted(str(PurePath(value)) if key in paths and value else value))
        for key, value in sorted(flatten(plain(config)).items())
    ]
    return {
        key: value for key, value in flat
        if f"{key}.".startswith(identifying) and not (key in later and value == later[key])
    }  # fmt: skip


def path_keys(schema: type, prefix: str = "") -> Iterator[str]:
    """Dotted names of the keys that name a file or folder."""
    for item in fields(schema):
        inner: Any = item.default_factory
        if is_dataclass(inner):
            yield from path_keys(inner, f"{prefix}{item.name}.")  # type: ignore[arg-type]
        elif item.metadata.get("is_path"):
            yield prefix + item.name


def identity_keys(schema: type, prefix: str = "") -> Iterator[str]:
    """Dotted names of the keys that another value of makes another run."""
    for item in fields(schema):
        inner: Any = item.default_factory
        if is_dataclass(inner):
            yield from identity_keys(inner, f"{prefix}{item.name}.")  # type: ignore[arg-type]
        elif item.metadata["identity"]:
            yield prefix + item.name


def later_keys(schema: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and defaults of the keys that count only where they were changed."""
    for item in fields(schema):
        inner: Any = item.default_factory
        if is_dataclass(inner):
            yield from later_keys(inner, f"{prefix}{item.name}.")  # type: ignore[arg-type]
        elif item.metadata["identity"] == "where changed":
            yield prefix + item.name, item.default


def hash_values(values: dict[str, Any]) -> str:
    """Twelve hexadecimal digits of the SHA-256 of `values` as JSON."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def config_hash(config: Config | CompareConfig) -> str:
    return hash_values(identity(config))
