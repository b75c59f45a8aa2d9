"""The version of this code."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

from .. import PACKAGE
from .invocation import PROGRAM


def describe_version() -> str:
    """One line: the version of an installed package, or the commit of a clone."""
    return f"{PROGRAM} {version(PROGRAM)}" if PACKAGE == PROGRAM else f"{PROGRAM}, a clone at commit {git_commit()}"


def git_commit() -> str:
    """The commit of this code; `unknown` outside a repository, `+changes` after it if the code was edited.

    Of an installed package its version: the repository that it may lie in is somebody else's.
    """
    if PACKAGE == PROGRAM:
        return f"v{version(PROGRAM)}"
    package = Path(__file__).parents[1]  # the whole package: an edit anywhere counts

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(package), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--", str(package)) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
