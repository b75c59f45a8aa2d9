"""What every test has: one thread, the real data beside the repository, the commands as a user runs them."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Two test processes on two cores: threads of their own would fight. Before torch is imported, and for every subprocess.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from filelock import FileLock
from hypothesis import settings

pytest.register_assert_rewrite("tests.support")

from tests.support.processes import SHARED, Command, require, run_module

if TYPE_CHECKING:
    from src.figures.report import Comparison
    from tests.support.servers import Gate, MlflowServer

# Machines are shared: how long a property takes says nothing about it.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is run only where it is asked for by its marker."""
    if "families" not in config.getoption("markexpr"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("families")])
        items[:] = [item for item in items if not item.get_closest_marker("families")]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real dialogues, a trained model and published homology; they lie beside the repository, not in it."""
    require(SHARED.is_dir(), f"{SHARED} is not there")
    return SHARED


def make_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, filled by the first process of a test run that asks for it; `make` finds it as the current one."""
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"), pytest.MonkeyPatch.context() as patch:
        if not folder.exists():
            folder.mkdir()
            patch.chdir(folder)
            make(folder)
    return folder


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
def shared_folder(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """A folder that all processes of a test run have in common."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / testrun_uid


@pytest.fixture(scope="session")
def fresh_database(shared_folder: Path) -> Path:
    """MLflow's database before its first run; to be copied, for making it takes seconds."""
    from src.config import TrackingConfig
    from src.tracking.store import open_store

    def make(folder: Path) -> None:
        # The experiment of the tests has its files beside the copy.
        open_store(TrackingConfig(experiment="another than the tests use"))

    return make_once(shared_folder / "fresh", make) / "multirun" / "mlflow.db"


@pytest.fixture
def stored_here(place: Path, fresh_database: Path) -> Path:
    """A fresh directory with a fresh database, as the current one."""
    (place / "multirun").mkdir()
    shutil.copy(fresh_database, place / "multirun")
    return place


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
def planted_sweep(shared_folder: Path, fresh_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the planted sweep in its store, to which tests may add."""
    from tests.support.planted import plant_sweep

    def make(folder: Path) -> None:
        (folder / "multirun").mkdir()
        shutil.copy(fresh_database, folder / "multirun")
        plant_sweep()

    own = tmp_path_factory.mktemp("planted")
    shutil.copytree(make_once(shared_folder / "planted", make), own, dirs_exist_ok=True)
    return own


@pytest.fixture
def inside(planted_sweep: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the planted sweep, as the current one."""
    monkeypatch.chdir(planted_sweep)
    return planted_sweep


@pytest.fixture(scope="session")
def comparison(shared_folder: Path, planted_sweep: Path) -> Comparison:
    """What is told of the planted sweep."""
    from tests.support.planted import compare

    def make(folder: Path) -> None:
        os.chdir(planted_sweep)
        reported = compare(sweep="first")
        (folder / "told.pickle").write_bytes(pickle.dumps(reported))

    return pickle.loads((make_once(shared_folder / "comparison", make) / "told.pickle").read_bytes())
