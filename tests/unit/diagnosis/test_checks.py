"""Each check of the machine, where it finds something and where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import TrackingConfig
from src.diagnosis import checks
from src.training import device


def test_a_store_that_is_not_there_yet_is_none_that_fails(place: Path) -> None:
    found = checks.check_store(TrackingConfig())
    assert (found.state, found.found.endswith("which the first run makes")) == ("ok", True)
    assert not list(place.iterdir())


def test_a_store_that_answers_is_told_from_one_that_does_not(stored_here: Path) -> None:
    assert checks.check_store(TrackingConfig()).found.endswith("answers; no run of alignment-topology yet")
    gone = checks.check_store(TrackingConfig(uri="http://127.0.0.1:9"))
    assert gone.state == "problem"
    assert gone.found.startswith("tracking.uri=http://127.0.0.1:9: cannot be used")


def test_the_store_of_another_program_is_no_store(place: Path) -> None:
    (place / "notes.db").write_text("not a database " * 100)
    found = checks.check_store(TrackingConfig(uri=f"sqlite:///{place}/notes.db"))
    assert found.state == "problem"
    assert (place / "notes.db").read_text().startswith("not a database")


def test_no_login_of_a_store_is_shown(place: Path) -> None:
    found = checks.check_store(TrackingConfig(uri="http://user:s3cret@127.0.0.1:9"))
    assert "s3cret" not in found.found


def test_a_folder_that_takes_no_file_is_a_problem(place: Path) -> None:
    assert checks.check_folder().state == "ok"
    (place / "multirun").symlink_to("/proc/self")  # a folder in which nobody, root neither, can make a file
    found = checks.check_folder()
    assert (found.state, found.remedy) == ("problem", "start from another folder")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_packages().state == "ok"
    monkeypatch.setattr(checks, "PACKAGES", ("numpy", "no-such-package"))
    found = checks.check_packages()
    assert (found.state, found.found) == ("problem", "no-such-package is not installed")


def test_a_driver_without_a_torch_for_it_is_a_problem(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if device.describe_gpus():
        pytest.skip("torch finds a GPU here")
    assert checks.check_devices().state == "note"
    (place / "nvidia-smi").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(place))
    assert checks.check_devices().state == "problem"


def test_the_first_diagram_says_where_compiled_code_is_kept() -> None:
    found = checks.check_homology()
    assert found.state == "ok"
    assert list(Path(found.found.rpartition(" in ")[2]).glob("deaths.find_deaths*.nbc"))
    assert checks.check_disk().found.endswith("GiB free")
