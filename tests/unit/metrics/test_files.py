"""The long table from what a run left on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.metrics.files import build_table
from src.rundir import RunDirectory
from src.system.jsonl import append_jsonl


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
