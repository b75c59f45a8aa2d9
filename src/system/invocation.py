"""How this process was started, and how a user starts a command of this package."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import PACKAGE

PROGRAM = "topotrace"
"""What an installed package is called: by Python, and on the command line."""


def command_line(name: str) -> str:
    """What a user types: `python -m src.ui` in a clone, `topotrace ui` where a wheel was installed."""
    return f"{PROGRAM} {name}" if PACKAGE == PROGRAM else f"python -m {PACKAGE}.{name}"


def is_program(words: Sequence[str]) -> bool:
    """Whether the interpreter was started for the script that an installation makes: `topotrace run`.

    Args:
        words: `sys.orig_argv`.
    """
    script = next((word for word in words[1:] if not word.startswith("-")), "")
    return Path(script).name == PROGRAM


def is_command(words: Sequence[str]) -> bool:
    """Whether the interpreter was started for this package, by its script or as `python -m src.run`.

    Args:
        words: `sys.orig_argv`.
    """
    by_module = any(
        flag == "-m" and (name == PACKAGE or name.startswith(f"{PACKAGE}.")) for flag, name in itertools.pairwise(words)
    )
    return by_module or is_program(words)


def name_program() -> None:
    """Let this process be called as the user called it; a module that was started in its place took the name over.

    Hydra writes the name into what it makes for the completion of a shell.
    """
    if is_program(sys.orig_argv):
        sys.argv[0] = PROGRAM
