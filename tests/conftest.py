"""What every test has: one thread, the real data beside the repository, the commands as a user runs them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Two test processes on two cores: threads of their own would fight. Before torch is imported, and for every subprocess.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.support")

from tests.support.processes import SHARED, Command, require, run_module

if TYPE_CHECKING:
    from src.figures.report import Comparison
    from tests.support.servers import Gate, MlflowServer

# Machines are shared: how long a property takes says nothing about it.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real dialogues, a trained model and published homology; they lie beside the repository, not in it."""
    require(SHARED.is_dir(), f"{SHARED} is not there")
    return SHARED


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `python -m <module> <words>` in a fresh directory."""

    def run(module: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return run_module(module, *words, cwd=tmp_path, **env)

    return run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh directory, as the current one; no request to a store waits for long."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "4")
    return tmp_path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """An MLflow server that may be killed, if it is started again."""
    from mlflow import MlflowClient

    from tests.support.servers import MlflowServer

    started = MlflowServer(tmp_path_factory.mktemp("server"))
    started.start()
    MlflowClient(started.uri).search_experiments()  # its first answer takes long
    yield started
    started.kill()


@pytest.fixture
def gate(server: MlflowServer) -> Iterator[Gate]:
    """What stands before the server, open at first."""
    from tests.support.servers import Gate

    opened = Gate(server.port)
    yield opened
    opened.turn("refuse")


@pytest.fixture(scope="session")
def planted_sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the planted sweep in its store."""
    from tests.support.planted import plant_sweep

    cwd = tmp_path_factory.mktemp("planted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        plant_sweep()
    return cwd


@pytest.fixture
def inside(planted_sweep: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the planted sweep, as the current one."""
    monkeypatch.chdir(planted_sweep)
    return planted_sweep


@pytest.fixture(scope="session")
def comparison(planted_sweep: Path) -> Comparison:
    """What is told of the planted sweep."""
    from tests.support.planted import compare

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(planted_sweep)
        return compare(sweep="first")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests go to one process, which makes what they share once; so do all that share the planted sweep."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            planted = "planted_sweep" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("planted" if planted else item.module.__name__))
