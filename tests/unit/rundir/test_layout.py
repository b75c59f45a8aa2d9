"""What a run directory says is in it."""

from __future__ import annotations

from pathlib import Path

from src.rundir import RunDirectory


def test_random_updates_that_are_gone_are_missed(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert run.weight_clouds(3) == []
    for draw in (0, 1):
        run.weight_cloud(3, draw).parent.mkdir(parents=True, exist_ok=True)
        run.weight_cloud(3, draw).touch()
    there = run.weight_clouds(3)
    assert there == [run.weight_cloud(3, 0), run.weight_cloud(3, 1)], "an earlier version noted no number"
    run.note_weight_clouds(3, 2)
    for path in there:
        path.unlink()
    there[0].parent.rmdir()
    assert run.weight_clouds(3) == there
    (tmp_path / "step_000003" / "random_updates.json").write_text("{")
    assert run.weight_clouds(3) == []


def test_folders_that_are_no_steps_are_none(tmp_path: Path) -> None:
    for name in ("step_000003", "step_1000000", "step_backup", "step_", "step_3", "step_000003.damaged"):
        (tmp_path / name).mkdir()
    assert list(RunDirectory(tmp_path).steps()) == [3, 1000000]
