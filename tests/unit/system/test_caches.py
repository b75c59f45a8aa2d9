"""Libraries get a folder of their own where they find none, and only there."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest

from src.system.caches import MATPLOTLIB, NUMBA, choose_caches

NOWHERE = "/proc/nohome"
"""Cannot be written, not even by root."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_named_only_where_there_is_none(temporary: Path) -> None:
    code = temporary / "code"
    (code / "topology").mkdir(parents=True)
    for place, home_folder, named in (
        (code, str(temporary), set()),
        (code, NOWHERE, {MATPLOTLIB}),
        (Path(NOWHERE), str(temporary), set()),
        (Path(NOWHERE), NOWHERE, {NUMBA, MATPLOTLIB}),
        (Path(NOWHERE), "", {NUMBA, MATPLOTLIB}),
    ):
        environment = {"HOME": home_folder}
        choose_caches(environment, place)
        assert environment.keys() - {"HOME"} == named
    environment = {"HOME": NOWHERE, NUMBA: "mine", MATPLOTLIB: "mine"}
    choose_caches(environment, Path(NOWHERE))
    assert environment[NUMBA] == environment[MATPLOTLIB] == "mine", "the user said so"


def test_the_folder_is_nobody_elses(temporary: Path) -> None:
    """It holds pickles, and its name can be guessed."""
    seen = []
    for mode in (0o700, 0o777, 0o700):
        environment = {"HOME": NOWHERE}
        choose_caches(environment, Path(NOWHERE))
        folder = Path(environment[NUMBA])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        seen.append(folder)
        folder.chmod(mode)
    assert seen[0] == seen[1] != seen[2], "one that others can write is left alone"
    seen[0].rename(temporary / "aside")
    seen[0].symlink_to(temporary / "aside")
    choose_caches(environment := {"HOME": NOWHERE}, Path(NOWHERE))
    assert Path(environment[NUMBA]) not in seen
