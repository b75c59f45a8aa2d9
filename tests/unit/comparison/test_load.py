"""What stored runs measured is read here or from MLflow, or named."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.comparison.load import read_diagrams, read_table, set_damaged_apart
from src.comparison.select import StoredRun, find_runs
from src.config import TrackingConfig
from src.config.commands import CompareConfig
from src.rundir import RunDirectory
from src.system.files import DamagedError
from src.tracking.store import Store, open_store
from tests.support.planted import FEW, Planted, plant_run


@pytest.fixture
def store(stored_here: Path) -> Store:
    for seed in range(3):
        plant_run(Planted(seed=seed, tags={"seed": "x"} if seed == 2 else {}, **FEW))
    return open_store(TrackingConfig())


def found(store: Store) -> list[StoredRun]:
    return find_runs(store, CompareConfig(sweep="first"))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def directory_of(run: StoredRun) -> RunDirectory:
    assert run.directory is not None
    return run.directory


def test_a_hostile_tag_leaves_out_its_run_alone(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    assert [run.cell[2] for run in found(store)] == [0, 1]
    assert "seed=x is no whole number" in caplog.text


def test_a_damaged_table_is_named_and_the_others_are_compared(store: Store) -> None:
    first, second = found(store)
    flip(directory_of(first).table)
    marked, problems = set_damaged_apart(store, [first, second])
    assert [run.done for run in marked] == [False, True]
    assert marked[0].reason == "damaged"
    assert len(problems) == 1
    assert "seed0/topology.parquet: damaged" in problems[0]
    with pytest.raises(DamagedError):
        read_table(store, first)


def test_mlflow_s_copy_takes_the_place_of_a_damaged_table(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    run = found(store)[0]
    table = read_table(store, run)
    store.client.log_artifact(run.id, str(directory_of(run).table))
    flip(directory_of(run).table)
    assert read_table(store, run).equals(table)
    assert "MLflow's copy is taken" in caplog.text
    assert set_damaged_apart(store, [run]) == ([run], [])


def test_a_table_that_is_nowhere_is_named(store: Store) -> None:
    run = found(store)[0]
    directory_of(run).table.unlink()
    marked, problems = set_damaged_apart(store, [run])
    assert not marked[0].done
    assert "neither on this machine nor in MLflow" in problems[0]


def test_damaged_diagrams_are_left_out_of_the_pictures(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    run = found(store)[0]
    assert list(read_diagrams(store, run, [0, 1])) == [0, 1]
    flip(directory_of(run).diagrams(1))
    assert list(read_diagrams(store, run, [0, 1])) == [0]
    assert "diagrams.npz: damaged" in caplog.text
