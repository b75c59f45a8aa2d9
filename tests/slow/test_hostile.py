"""What others hand on runs, writes, sends and shows nothing: the short form of `python -m tests.faults hostile`."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from tests.faults.hostile import TRIALS, Planted, main, watch


def test_what_is_watched_for_is_seen(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    main(0, 0)
    with watch(tmp_path / "inside") as seen:
        (tmp_path / "inside" / "file").write_text("x")
        assert seen == []
        pickle.loads(pickle.dumps(Planted(str(tmp_path / "made"))))
        (tmp_path / "outside").write_text("x")
    assert seen == [f"os.mkdir {tmp_path}/made", f"open {tmp_path}/outside"]


@pytest.mark.slow
def test_nothing_comes_of_what_others_hand_on() -> None:
    rows = main(20 * len(TRIALS), 0)
    assert [(what, trials, message) for what, trials, right, message in rows if right != trials] == []
