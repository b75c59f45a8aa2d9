"""Addresses of stores: of a SQLite database under multirun/ such that they hold wherever that is moved to."""

from __future__ import annotations

from pathlib import Path

from ..rundir import ROOT, RunDirectory

SQLITE = "sqlite:///"


def database_of(uri: str) -> Path | None:
    """The file of a plain SQLite address."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) and "?" not in uri else None


def absolute(uri: str) -> str:
    """The same address wherever a command is started: of a SQLite file with its whole path."""
    path = database_of(uri)
    return f"{SQLITE}{path.resolve()}" if path is not None else uri


def root_of(run: RunDirectory) -> Path | None:
    """The multirun/ that a run directory lies in, the current one or another's; None if it lies in none."""
    if run.path.resolve().is_relative_to(ROOT.resolve()):
        return ROOT
    for path in (run.path.absolute(), run.path.resolve()):  # multirun/ itself may be a link
        found = [parent for parent in path.parents if parent.name == ROOT.name]
        if found:
            return next((root for root in found if (root / "mlflow.db").exists()), found[0])
    return None


def portable(uri: str, run: RunDirectory) -> str:
    """The address to be kept in a run directory: one of a database beside it in multirun/ holds wherever that is moved
    to, any other is noted whole."""
    path, root = database_of(uri), root_of(run)
    if path is None or root is None or not path.resolve().is_relative_to(root.resolve()):
        return absolute(uri)
    return f"{SQLITE}{(ROOT / path.resolve().relative_to(root.resolve())).as_posix()}"


def find_noted(uri: str, run: RunDirectory) -> str:
    """The store of the address that a run directory noted, with its place today if multirun/ was moved since."""
    path, root = database_of(uri), root_of(run) or ROOT
    if path is None:
        return uri
    if not path.is_absolute() and path.parts[:1] == ROOT.parts:
        path = root / path.relative_to(ROOT)
    elif not path.exists() and path.parent.name == ROOT.name and (root / path.name).exists():
        path = root / path.name
    return absolute(f"{SQLITE}{path}")
