"""`python -m src.track` as a user gives it: wrong requests, advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.processes import Command
from tests.support.series import write_checkpoint

SERIES = "track.checkpoints=out/checkpoint-*"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], ["track.checkpoints=None", "track.revisions=[]", "give one of them"]),
        ([SERIES, "track.revisions=[step0]"], ["track.revisions=['step0']", "give one of them"]),
        (["track.checkpoints=nowhere/*"], ["track.checkpoints=nowhere/*", "nothing has such a name"]),
        (["track.checkpoints=[out/checkpoint-1,out/empty]"], ["out/empty", "is no checkpoint"]),
        ([SERIES, "track.steps=[1,1]"], ["track.steps=[1, 1]", "step 1 twice"]),
        ([SERIES, "track.steps=[1,2,3]"], ["3 steps of 2 checkpoints"]),
        ([SERIES, "track.stps=[1]"], ["track.stps", "did you mean track.steps"]),
        ([SERIES, "schedule=every", "schedule.interval=1", "schedule.lag=1"], ["schedule=every", "no checkpoint of"]),
        ([SERIES, "tda=none"], ["tda=none", "measures nothing"]),
        ([SERIES, "model.path=./gone"], ["model.path=./gone", "no such folder"]),
        (["advise"], ["steps is not set"]),
        (["advise", "steps=10", "checkpoints=40"], ["checkpoints=40", "only"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_wrong_request_gets_one_message(command: Command, tmp_path: Path, words: list[str], named: list[str]) -> None:
    for step in (1, 9):
        write_checkpoint(tmp_path / "out" / f"checkpoint-{step}")
    (tmp_path / "out" / "empty").mkdir()
    done = command("src.track", *words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    for part in named:
        assert part in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not list((tmp_path / "multirun").glob("[!.]*"))


def test_advice_is_printed(command: Command) -> None:
    done = command("src.track", "advise", "steps=2000", "checkpoints=20")
    assert done.returncode == 0, done.stderr
    assert "STEPS = {0, 1, 2, 3," in done.stdout
