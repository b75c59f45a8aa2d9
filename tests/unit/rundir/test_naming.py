"""The home of a run follows from its configuration alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import RequestError
from src.config.commands import CompareConfig
from src.config.resolve import resolve_config
from src.rundir import RunDirectory
from src.rundir.naming import directory_of_analysis, directory_of_comparison
from src.rundir.state import check_earlier_start, initialize
from tests.support.builders import composed, directory


def test_a_run_of_defaults_lives_under_its_plain_name() -> None:
    assert directory() == Path("multirun/tiny/helpful/vietoris_rips/seed0")
    assert directory("objective=mixed", "seed=3", "tda=none") == Path("multirun/tiny/mixed/none/seed3")


def test_a_cell_has_one_home_however_it_was_started() -> None:
    smoke = ["probe.size=64", "schedule.early=3", "schedule.late=4", "objective.eval_size=16"]
    smoke += ["trainer.max_steps=24", "trainer.warmup_steps=4"]
    assert directory("experiment=smoke") == directory(*reversed(smoke))
    assert directory("trainer.max_steps=240") == directory(), "a default spelled out is still the default"


def test_different_configurations_never_share_a_home() -> None:
    homes = [
        directory(),
        directory("seed=1"),
        directory("adapter=full"),
        directory("probe.size=128"),
        directory("probe.size=128", "seed=1"),
    ]
    assert len(set(homes)) == len(homes)


@pytest.mark.parametrize("key", ["model.path", "objective.data_dir"])
def test_a_path_has_one_home_however_it_is_spelled(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("x", "y"):
        (tmp_path / "out" / name).mkdir(parents=True)
    plain, slash = f"{key}=out/x", f"{key}=out/x/"
    assert directory(plain) == directory(slash) == directory(f"{key}=./out//x")
    assert directory(plain) != directory(f"{key}=out/y")
    run = RunDirectory(directory(plain).with_name("seed0-0123abcd"))  # as named before the slash was the same
    initialize(run, resolve_config(composed(slash)), reset=False)
    assert directory(plain) == directory(slash) == run.path
    assert not check_earlier_start(run, resolve_config(composed(plain))), "the same, and not done"


def test_a_directory_that_an_earlier_version_named_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = resolve_config(composed("probe.size=64", "model.gated=true"))
    named = directory("probe.size=64")
    initialize(RunDirectory(named.with_name("seed0-0123abcd")), config, reset=False)
    assert directory("probe.size=64") == named.with_name("seed0-0123abcd")
    assert directory("probe.size=32") != named.with_name("seed0-0123abcd"), "another configuration"
    initialize(RunDirectory(named), config, reset=False)
    assert directory("probe.size=64") == named, "the name it has today comes first"


def test_what_was_stored_before_a_key_came_is_still_the_same_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config, later = resolve_config(composed()), resolve_config(composed("tda.second_metric=standardized"))
    run = RunDirectory(directory())
    initialize(run, config, reset=False)
    run.write_status("done")
    stored = run.config.read_text()
    run.config.write_text(
        "".join(line for line in stored.splitlines(True) if "second_metric" not in line and "seal" not in line)
    )
    assert run.config.read_text() != stored
    assert check_earlier_start(run, config)
    assert directory_of_analysis(run, config).path.name == "vietoris_rips-76557807", "as before the key was there"
    assert directory_of_analysis(run, later) != directory_of_analysis(run, config)
    with pytest.raises(RequestError, match=r"tda\.second_metric: None there, standardized now"):
        check_earlier_start(run, later)


def test_a_comparison_empties_no_directory_with_anything_but_a_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version let a model be called `comparison`."""
    monkeypatch.chdir(tmp_path)
    request = CompareConfig(sweep="helpful")
    theirs = RunDirectory(directory_of_comparison(request).path / "vietoris_rips" / "seed0")
    initialize(theirs, resolve_config(composed()), reset=False)
    with pytest.raises(RequestError, match=r"multirun/comparison/helpful: holds vietoris_rips, .* move"):
        initialize(directory_of_comparison(request), request, reset=True)
    assert theirs.config.is_file()


def test_starting_over_goes_through_no_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    run = RunDirectory(tmp_path / "run")
    (run.path / "figures").mkdir(parents=True)
    (run.path / "link").symlink_to(tmp_path / "kept")
    initialize(run, resolve_config(composed()), reset=True)
    assert (tmp_path / "kept" / "file").is_file()
    assert sorted(path.name for path in run.path.iterdir()) == ["config.yaml", "status.json"]
