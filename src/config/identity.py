"""What makes a run this very run: the keys and values that count, and their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any

from omegaconf import OmegaConf

from .commands import CompareConfig
from .schema import Config


def plain(config: Any) -> dict[str, Any]:
    """The configuration as nested dictionaries of plain values."""
    return OmegaConf.to_container(OmegaConf.structured(config))  # type: ignore[return-value]


def flatten(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"trainer": {"max_steps": 1}}` as `{"trainer.max_steps": 1}`."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key: value}
    return flat


def identity(config: Config | CompareConfig) -> dict[str, Any]:
    """Flat keys and values that make this run what it is: those that the schema marks with `identity=True`.

    A key that runs of before do not have is left out while it has its default.
    """
    schema = type(config)
    identifying = tuple(f"{key}." for key in identity_keys(schema))
    unchanged = [(key, item.default) for key, item in _settings(schema) if item.metadata["newer"]]
    # What lies below a key, a weight of `objective.weights`, belongs to it.
    flat = sorted(flatten(plain(config)).items())
    return {key: value for key, value in flat if f"{key}.".startswith(identifying) and (key, value) not in unchanged}


def identity_keys(schema: type) -> Iterator[str]:
    """Dotted names of the keys that another value of makes another run."""
    return (key for key, item in _settings(schema) if item.metadata["identity"])


def _settings(schema: type, prefix: str = "") -> Iterator[tuple[str, Field[Any]]]:
    """Dotted names of all keys, and what the schema knows of each."""
    for item in fields(schema):
        inner: Any = item.default_factory
        if is_dataclass(inner):
            yield from _settings(inner, f"{prefix}{item.name}.")  # type: ignore[arg-type]
        else:
            yield prefix + item.name, item


def hash_values(values: dict[str, Any]) -> str:
    """Twelve hexadecimal digits of the SHA-256 of `values` as JSON."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def config_hash(config: Config | CompareConfig) -> str:
    return hash_values(identity(config))
