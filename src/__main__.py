"""Every command by its name: `topotrace run` where a wheel was installed, `python -m src run` in a clone.

The same as `python -m src.run`: a command is the module that has its name. One that is new is a line in `COMMANDS`.
"""

from __future__ import annotations

import difflib
import os
import runpy
import sys

from . import PACKAGE
from .system.invocation import PROGRAM, command_line
from .system.version import describe_version

COMMANDS = {
    "run": "fine-tune a model and watch the shape of its representations",
    "plan": "show what memory, disk and time run with the same words would take",
    "preview": "show what run with the same words would train on",
    "analyze": "measure the stored clouds of a run again, by another method or metric",
    "track": "topology of checkpoints that another trainer saved",
    "compare": "findings across the runs of a sweep, as one report",
    "sync": "bring MLflow what it missed, end the records of killed runs",
    "clean": "list what could go and what it would free, remove it with yes=true",
    "ui": "the MLflow UI with the prepared views",
    "doctor": "check this machine: versions, devices, store, disk, caches",
}

COMPLETION = ("--shell-completion", "-sc")
"""Hydra's flags; what follows is `install=bash`, or `query=bash` when the shell asks."""


def main() -> None:
    """Run the command that the first word names, with the other words as its own."""
    words = sys.argv[1:]
    if words[:1] == ["--version"]:
        print(describe_version())
        return
    if words and words[0] in COMPLETION:
        words = _complete(words)
    elif words[:1] in (["--help"], ["-h"]):
        print(_help())
        return
    elif not words:
        print(_help(), file=sys.stderr)
        sys.exit(2)
    if words:
        _dispatch(words)


def _dispatch(words: list[str]) -> None:
    """Start a command as `python -m` does: as the main module, which processes that it spawns find by its name."""
    name = words[0]
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        print(f"{name}: no such command{hint}; known: {', '.join(COMMANDS)}", file=sys.stderr)
        sys.exit(2)
    sys.argv[1:] = words[1:]
    runpy.run_module(f"{PACKAGE}.{name}", run_name="__main__", alter_sys=True)


def _complete(words: list[str]) -> list[str]:
    """What answers a shell: a command and its words, or nothing where the names of the commands were the answer."""
    if not any(word.startswith("query=") for word in words):
        return ["run", *words]  # what installs the completion is the same for all
    program, _, typed = os.environ.get("COMP_LINE", "").lstrip().partition(" ")
    name, is_whole, rest = typed.lstrip().partition(" ")
    if is_whole and name in COMMANDS:
        os.environ["COMP_LINE"] = f"{program} {rest}"  # Hydra knows no commands, only what follows a program
        return [name, *words]
    print("\n".join(command for command in COMMANDS if command.startswith(name)))
    return []


def _help() -> str:
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items())
    program = PROGRAM if PACKAGE == PROGRAM else f"python -m {PACKAGE}"
    return (
        f"usage: {program} <command> [group=option] [key=value] ...\n\n{listed}\n\n"
        f"{command_line('run')} --help shows its groups and keys; so does each command. --version shows the version."
    )


if __name__ == "__main__":
    main()
