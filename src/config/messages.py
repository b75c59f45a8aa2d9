"""One message for a wrong request: the key, the value, what to do."""

from __future__ import annotations

import dataclasses
import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException

from .schema import Config
from .setting import RequestError

HERE = Path(__file__).resolve().parents[1]

CONF = HERE / "conf" if (HERE / "conf").is_dir() else HERE.parent / "conf"  # in a wheel it lies inside the package


def explain(error: Exception, schema: type = Config, given: Sequence[str] | None = None) -> str:
    """One message for a wrong request: the key, the value, what to do.

    Args:
        given: what the request is made of, `key=value` each; by default the words of the command line.
    """
    words = sys.argv[1:] if given is None else given
    if isinstance(error, RequestError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{Path(error.filename).resolve()}: cannot be written ({error.strerror}); start from another folder"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, option = str(error.missing_cfg_file).rpartition("/")
        return f"{group}={option}: unknown{_nearest(option, error.options)}; known: {', '.join(error.options)}"
    if isinstance(error, OverrideParseException):
        return f"{error.override}: cannot be read as key=value; quote what has spaces, brackets or ~: 'key=\"~/a b\"'"
    several = re.match(r"(?:Ambiguous value for argument|Sweep parameters) '([^=]*)=(.*)'", str(error))
    if several:
        key, values = several.groups()
        quoted = f"or quote what is one value: '{key}=\"{values}\"'"
        return f"{key}={values}: several values; add -m for a sweep over them, {quoted}"
    if "Config group override must be" in str(error):
        groups = [word for word in words if _key_of(word) not in key_names(schema)]
        return f"{' '.join(groups)}: a group takes the name of one of its options; --info=config-groups lists them"
    cause = error.__cause__ or error
    key = getattr(cause, "full_key", None) or _key_in(str(error))
    first = next(iter(str(cause).splitlines()), "") or f"cannot be composed ({type(cause).__name__}): {_joined(words)}"
    if key and re.search(
        r"Key '.*' (is )?not in|[Cc]ould not (override|find)|No match in the defaults", f"{error}\n{first}"
    ):
        owner = next((name for name in key_names(schema) if key.startswith(f"{name}.")), None)
        if owner:
            return f"{key}: {owner} has no such entry here; add it with +{key}=<value>, if it takes that"
        known = [*key_names(schema), *sorted(p.name for p in CONF.iterdir() if p.is_dir())]
        return f"{key}: no such key{_nearest(key, known)}; --cfg job lists all"
    value = _value_of(key, words)
    # Hydra's own messages end with what to do; OmegaConf's, with names of its classes.
    text = " ".join(str(cause).split()) if isinstance(cause, HydraException) else first
    if key and value is not None:
        return f"{key}={value}: {text}"
    # Of an entry of a list nobody says whose it is.
    is_named = any(_key_of(word) and _key_of(word) in text for word in words)
    return text if is_named else f"{_joined(words)}: {text}"


def key_names(schema: type, prefix: str = "") -> Iterator[str]:
    """Dotted names of every key of a schema."""
    for item in dataclasses.fields(schema):
        inner: Any = item.default_factory
        if dataclasses.is_dataclass(inner):
            yield from key_names(inner, f"{prefix}{item.name}.")  # type: ignore[arg-type]
        else:
            yield prefix + item.name


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _key_in(message: str) -> str | None:
    found = re.search(r"(?:override|key:?|Key) '?([\w.@/]+)", message)
    return found.group(1) if found else None


def _joined(words: Sequence[str]) -> str:
    return " ".join(words)[:200]


def _value_of(key: str | None, words: Sequence[str]) -> str | None:
    """What was given for `key`."""
    given = [word.partition("=")[2] for word in words if _key_of(word) == key]
    return given[-1] if given else None


def _key_of(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")
