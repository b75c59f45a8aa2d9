"""The repository, and its commands as a user starts them: in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"

Command = Callable[..., subprocess.CompletedProcess[str]]

ENVIRONMENT = {"PYTHONPATH": str(ROOT), "MLFLOW_HTTP_REQUEST_TIMEOUT": "4", "OMP_NUM_THREADS": "1"}
"""Of a process that shall hear of nothing that is set here."""


def require(there: bool, otherwise: str) -> None:
    """Leave a test out where something is not installed; continuous integration must not."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(otherwise)


def run_module(module: str, *words: str, cwd: Path, timeout: int = 600, **env: str) -> subprocess.CompletedProcess[str]:
    """`python -m <module> <words>` with `cwd` as the place where multirun/ appears."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "HYDRA"))}
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=cwd, capture_output=True, text=True, timeout=timeout, env=clean | {"PYTHONPATH": str(ROOT)} | env,
    )  # fmt: skip


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def workers_of(pid: int) -> list[int]:
    """The processes that a run measures in."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    return [int(child) for child in found if b"spawn_main" in command_of(child)]


def command_of(pid: str) -> bytes:
    """The command line of a process; nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
