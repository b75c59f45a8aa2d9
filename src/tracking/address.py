"""Addresses of stores: of a SQLite database under multirun/ such that they hold wherever that is moved to."""

from __future__ import annotations

from pathlib import Path

from ..rundir import ROOT

SQLITE = "sqlite:///"


def database_of(uri: str) -> Path | None:
    """The file of a plain SQLite address."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) and "?" not in uri else None


def absolute(uri: str) -> str:
    """The same address wherever a command is started: of a SQLite file with its whole path."""
    path = database_of(uri)
    return f"{SQLITE}{path.resolve()}" if path is not None else uri


def portable(uri: str) -> str:
    """The address to be kept in multirun/: one of a database in there holds wherever multirun/ is moved to."""
    path, root = database_of(uri), ROOT.resolve()
    if path is None or not path.resolve().is_relative_to(root):
        return uri
    return f"{SQLITE}{(ROOT / path.resolve().relative_to(root)).as_posix()}"


def find_moved(uri: str) -> str:
    """The address that a run directory under multirun/ noted, with its place today if multirun/ was moved since."""
    path = database_of(uri)
    if path is None or path.exists() or path.parent.name != ROOT.name or not (ROOT / path.name).exists():
        return uri
    return f"{SQLITE}{(ROOT / path.name).resolve()}"
