"""How much of a run a store has, as it is noted on disk."""

from __future__ import annotations

from pathlib import Path

from src.rundir import RunDirectory
from src.system.jsonl import append_jsonl
from src.tracking.offsets import load_offsets, read_offsets, save_offsets


def test_what_is_noted_holds_for_one_start_and_one_store(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    progress = load_offsets(run, "sqlite:///a.db", 1)
    assert read_offsets(run) is None
    save_offsets(run, progress, journal=0, ended=True)
    append_jsonl(run.journal, {"start": {}})
    assert load_offsets(run, "sqlite:///a.db", 1) == progress == read_offsets(run)
    for other in (("sqlite:///b.db", 1), ("sqlite:///a.db", 2)):
        assert not load_offsets(run, *other).ended
