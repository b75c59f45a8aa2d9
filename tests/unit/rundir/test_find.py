"""Which run directory is meant, though one among them is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.rundir import RunDirectory
from src.rundir.find import read_mlflow_id, runs_by_mlflow_id
from src.system.files import DamagedError, write_json


def plant(name: str, text: bytes) -> RunDirectory:
    run = RunDirectory(Path("multirun/tiny/helpful/none") / name)
    run.path.mkdir(parents=True)
    run.mlflow_run_id.write_bytes(text)
    return run


def test_one_damaged_id_is_named_and_hides_no_other_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    whole, damaged, empty = plant("a", b"5eed"), plant("b", b"5e\xffd"), plant("c", b"")
    assert runs_by_mlflow_id() == {"5eed": whole}
    assert f"{damaged.mlflow_run_id}: damaged" in caplog.text
    assert f"{empty.mlflow_run_id}: damaged" in caplog.text
    with pytest.raises(DamagedError):
        read_mlflow_id(damaged)


def test_the_id_that_was_noted_with_a_checksum_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = plant("a", b"5eee")
    write_json(run.offsets, {"run_id": "5eed"})
    assert runs_by_mlflow_id() == {"5eed": run}
    run.mlflow_run_id.unlink()
    assert read_mlflow_id(run) == "5eed"
