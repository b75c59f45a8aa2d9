"""What the tests share: the repository, the real data beside it, and a way to run the commands as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# Two test processes on two cores: threads of their own would fight. Before torch is imported, and for every subprocess.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# Machines are shared: how long a property takes says nothing about it.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real dialogues, a trained model and published homology; they lie beside the repository, not in it."""
    require(SHARED.is_dir(), f"{SHARED} is not there")
    return SHARED


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


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `python -m <module> <words>` in a fresh directory."""

    def run(module: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return run_module(module, *words, cwd=tmp_path, **env)

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: two workers that share the files then end at about the same time."""
    longest = ("test_readme", "test_browser", "test_run", "test_slurm", "test_launchers", "test_messages")
    places = {name: place for place, name in enumerate(longest)}
    items.sort(key=lambda item: places.get(item.path.stem, len(longest)))
