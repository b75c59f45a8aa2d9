"""The long table from what a run left on disk."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from src.metrics.files import build_table, read_stored_table, write_table
from src.rundir import RunDirectory
from src.system.files import DamagedError
from src.system.jsonl import append_jsonl
from tests.support.planted import Planted, plant_table


@pytest.mark.parametrize(
    "half", [b'{"step": 3, "ti', b"\x00\x00", b"\xff\xfe", b'{"step": 3, "timestamp": 1, "metrics": {}}']
)
def test_a_line_that_was_written_by_half_is_left_out_of_the_table(tmp_path: Path, half: bytes) -> None:
    run = RunDirectory(tmp_path)
    for step in (0, 2):
        append_jsonl(run.spool, {"step": step, "timestamp": 1, "metrics": {"behavior/train_loss": float(step)}})
        with run.spool.open("ab") as spool:
            spool.write(half)
    table = build_table(run, [], behavior=run.spool)
    assert list(zip(table.step, table.quantity, table.value, strict=True)) == [
        (0, "train_loss", 0.0), (2, "train_loss", 2.0)
    ]  # fmt: skip


def test_a_table_comes_back_as_it_was_or_not_at_all(tmp_path: Path) -> None:
    run, table, rng = RunDirectory(tmp_path), plant_table(Planted(steps=(0, 1, 4), layers=1)), random.Random(0)
    write_table(run, table)
    pd.testing.assert_frame_equal(read_stored_table(run.table), table, check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_parquet(run.table), table, check_dtype=False)
    whole = run.table.read_bytes()
    places = [rng.randrange(len(whole)) for _ in range(200)]
    changed = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in places]
    for content in (*changed, whole[:-9], whole[9:], b""):
        run.table.write_bytes(content)
        with pytest.raises(DamagedError, match=r"topology\.parquet: damaged"):
            read_stored_table(run.table)


def test_a_table_of_a_version_that_sealed_none_is_read(tmp_path: Path) -> None:
    table = plant_table(Planted(steps=(0, 1, 4), layers=1))
    table.to_parquet(tmp_path / "topology.parquet", index=False)
    pd.testing.assert_frame_equal(read_stored_table(tmp_path / "topology.parquet"), table, check_dtype=False)
    (tmp_path / "topology.parquet").write_bytes((tmp_path / "topology.parquet").read_bytes()[:-50])
    with pytest.raises(DamagedError, match="it is no table"):
        read_stored_table(tmp_path / "topology.parquet")
