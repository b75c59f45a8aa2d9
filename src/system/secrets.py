"""What no file, no output and no tracked run may hold: logins in addresses, and secrets of the environment.

Every file that this package writes of a request, and all that its processes print, goes through `redact`.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO, TypeVar
from urllib.parse import quote, unquote

T = TypeVar("T")

HIDDEN = "***"

SECRET_NAMES = re.compile("TOKEN|PASSWORD|SECRET|KEY", re.IGNORECASE)
"""What the name of an environment variable says if its value is a secret."""

SHORTEST = 8
"""Characters of a secret; a shorter one would be found in every other word."""

# A login ends at the last @ before the host; of a password with a slash, at the last @ of the word.
_LOGIN = re.compile(r"([a-zA-Z][\w+.-]*://)(?:[^\s/?#'\"<>]*|[^\s/@:'\"<>]+:[^\s'\"<>]*)@")
_QUERY = re.compile(
    r"([?&;](?:\w*(?:password|passwd|pwd)|(?:[\w.-]*[_.-]|api)?(?:token|secret|key|credential)|user|username)=)"
    r"[^\s&;'\"<>]+",
    re.IGNORECASE,
)

_remembered: set[str] = set()
"""Passwords of addresses that this process was given: a server's answer may have them without the address."""


def redact(text: str) -> str:
    """The text without logins in addresses and without the values of secrets."""
    if "://" in text:
        text = without_login(text)
    for secret in _secrets():
        text = text.replace(secret, HIDDEN)
    return text


def redacted(nested: T) -> T:
    """The same value with all its strings redacted, those of keys as well."""
    if isinstance(nested, str):
        return redact(nested)  # type: ignore[return-value]
    if isinstance(nested, dict):
        return {redacted(key): redacted(value) for key, value in nested.items()}  # type: ignore[return-value]
    if isinstance(nested, (list, tuple)):
        return type(nested)(redacted(value) for value in nested)
    return nested


def without_login(address: str) -> str:
    """The address as it may be kept; a password in it is hidden from now on wherever it stands."""
    for pattern in (_LOGIN, _QUERY):
        for found in pattern.finditer(address):
            rest = found[0].removeprefix(found[1])
            password = rest.removesuffix("@").partition(":")[2] if pattern is _LOGIN else rest
            _remembered.update(word for word in (password, unquote(password)) if len(word) >= SHORTEST)
    return _QUERY.sub(rf"\1{HIDDEN}", _LOGIN.sub(r"\1", address))


def _secrets() -> list[str]:
    """The longest first: one may be a part of another."""
    named = {value for name, value in os.environ.items() if SECRET_NAMES.search(name) and _is_secret(value)}
    return sorted(named | {quote(value, safe="") for value in named} | _remembered, key=len, reverse=True)


def _is_secret(value: str) -> bool:
    # A variable may say in which file a key is; the path is none.
    return len(value) >= SHORTEST and not (value.startswith(os.sep) and Path(value).exists())


class RedactingStream:
    """A stream of text that passes on everything but secrets; all else is as of the stream behind it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class RedactingFormatter(logging.Formatter):
    """Of lines in a log file, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def redact_output() -> None:
    """Let nothing that this process prints from now on hold a secret; once is enough."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, RedactingStream):
            setattr(sys, name, RedactingStream(stream))
