"""What an earlier start left in a run directory is taken, made again or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.config import Config, RequestError
from src.config.resolve import resolve_config
from src.rundir import RunDirectory
from src.rundir.state import check_earlier_start, initialize, load_config, load_measured_config
from src.system.files import DamagedError
from tests.support.builders import composed


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    return resolve_config(composed("probe.size=64"))


@pytest.fixture
def run(config: Config) -> RunDirectory:
    made = RunDirectory(Path("multirun/a"))
    made.path.mkdir(parents=True)
    initialize(made, config, reset=False)
    return made


@pytest.mark.parametrize("damage", [b"", b"#", b"\xff\xfe", b"seed: [", b"# half"])
def test_a_damaged_configuration_is_written_again_from_the_request(
    run: RunDirectory, config: Config, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run.config.read_bytes()
    run.config.write_bytes(damage)
    with pytest.raises(DamagedError, match=r"config\.yaml: damaged"):
        load_config(run)
    assert not check_earlier_start(run, config)
    assert run.config.read_bytes() == whole
    assert "config.yaml: damaged" in caplog.text


def test_one_other_digit_is_noticed(run: RunDirectory) -> None:
    run.config.write_bytes(run.config.read_bytes().replace(b"\nseed: 0", b"\nseed: 1"))
    with pytest.raises(DamagedError, match="its checksum does not match"):
        load_config(run)


def test_a_damaged_configuration_that_was_another_is_refused(run: RunDirectory) -> None:
    run.config.write_bytes(b"")
    with pytest.raises(RequestError, match=r"names another configuration than is asked for; force=true"):
        check_earlier_start(run, resolve_config(composed("probe.size=32")))
    assert run.config.read_bytes() == b"", "nothing was written"


def test_a_configuration_of_a_version_that_sealed_none_is_read(run: RunDirectory, config: Config) -> None:
    run.config.write_text("".join(line for line in run.config.read_text().splitlines(True) if "seal" not in line))
    assert load_config(run) == config


def test_what_killed_writers_left_is_swept_away_but_for_those_of_analyses(run: RunDirectory, config: Config) -> None:
    swept = [run.path / ".17.last.ckpt", run.step(1) / ".18.clouds.safetensors"]
    kept = run.path / "analysis" / "a" / ".19.status.json"
    for path in (*swept, kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    initialize(run, config, reset=False)
    assert not any(path.exists() for path in swept)
    assert kept.exists(), "another process may be at work there"


def test_the_lag_of_a_run_that_is_done_is_known_without_its_file(run: RunDirectory, config: Config) -> None:
    config.schedule.lag = "auto"
    initialize(run, config, reset=False)
    with pytest.raises(RequestError, match="no lag was chosen yet"):
        load_measured_config(run)
    run.lag.write_text("damaged")
    run.write_status("done", summary={"lag": 4})
    assert load_measured_config(run).schedule.lag == 4
