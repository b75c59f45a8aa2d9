"""What an earlier start left in a run directory, and how the next one begins."""

from __future__ import annotations

import shutil

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ..config import Config, RequestError
from ..config.commands import CompareConfig
from ..config.identity import config_hash, identity, inert, literal, plain
from ..config.schedule import lag_of, with_lag
from ..config.schema import AUTO
from ..config.track import TrackConfig
from ..system.files import DamagedError, read_json, read_sealed, set_aside, sweep_partial, write_sealed
from ..system.secrets import redacted
from .layout import RunDirectory


def load_config(run: RunDirectory) -> Config:
    """The configuration that a run was made with; nothing in the file is taken for a reference to something else.

    Raises:
        DamagedError: if the file is not what was written.
        OmegaConfBaseException: if a version wrote it that had other keys.
    """
    content = read_sealed(run.config)
    try:
        stored = OmegaConf.create(content.decode("utf-8"))
        if not isinstance(stored, DictConfig) or not stored:
            raise ValueError
    except (YAMLError, ValueError, OmegaConfBaseException) as error:
        raise DamagedError(run.config, "it is no configuration") from error
    there = inert(OmegaConf.to_container(stored))
    schema = TrackConfig if "track" in there else Config
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), there))  # type: ignore[return-value]


def write_config(run: RunDirectory, config: Config | CompareConfig) -> None:
    """`config.yaml`, sealed."""
    text = OmegaConf.to_yaml(OmegaConf.create(literal(redacted(plain(config)))))
    write_sealed(run.config, text, "# {}")


def read_lag(run: RunDirectory) -> int | None:
    """The lag that an earlier start chose; None if there is none. A damaged file is set aside."""
    if not run.lag.exists():
        return None
    try:
        return int(read_json(run.lag)["lag"])
    except DamagedError as error:
        set_aside(run.lag, error.reason)
        return None


def _noted_lag(run: RunDirectory) -> int | None:
    """The lag that a run which is done was measured with, by its status."""
    lag: int | None = run.read_status().get("summary", {}).get("lag")
    return lag


def load_measured_config(run: RunDirectory) -> Config:
    """The configuration that a run was measured with: as `load_config`, with the lag that was chosen.

    Raises:
        RequestError: if it asked for a lag to be chosen and none was.
        DamagedError: if the file is not what was written.
    """
    config = load_config(run)
    lag = lag_of(config.schedule) if config.schedule.lag != AUTO else read_lag(run) or _noted_lag(run)
    if lag is None:
        raise RequestError(f"{run.path}: its schedule.lag=auto, and no lag was chosen yet; run it first")
    return with_lag(config, lag)


def check_earlier_start(run: RunDirectory, config: Config) -> bool:
    """Whether this very configuration is done already.

    A damaged `config.yaml` is set aside and written again, unless the status names another configuration.

    Raises:
        RequestError: if the directory holds another configuration, with the keys that differ.
    """
    if config.force or not run.config.exists():
        return False
    try:
        stored = load_config(run)
    except DamagedError as error:
        _check_hash(run, config, error)
        set_aside(run.config, error.reason)
        write_config(run, config)
        stored = config
    ours, theirs = identity(config), identity(stored)
    differing = [
        f"  {key}: {theirs.get(key)} there, {ours.get(key)} now"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]
    if differing:
        raise RequestError(
            f"{run.path} holds a run of another configuration:\n" + "\n".join(differing) + "\n"
            "force=true starts over there; moving the directory away keeps it"
        )
    return run.read_status().get("state") == "done"


def _check_hash(run: RunDirectory, config: Config, error: DamagedError) -> None:
    """Raises RequestError if the status says that the damaged configuration was another than this one."""
    if run.read_status().get("config_hash", config_hash(config)) != config_hash(config):
        raise RequestError(
            f"{error}, and {run.status.name} names another configuration than is asked for; force=true starts over "
            "there, moving the directory away keeps it"
        )


def initialize(run: RunDirectory, config: Config | CompareConfig, *, reset: bool) -> None:
    """Make the directory ready for a start that goes on with what an earlier one left, or with nothing if `reset`.

    Whoever calls holds the directory's lock.

    Raises:
        RequestError: if a comparison would empty a directory that is none of a comparison.
    """
    if reset:
        folders = sorted(path.name for path in run.path.iterdir() if path.is_dir())
        if isinstance(config, CompareConfig) and folders:
            raise RequestError(
                f"{run.path}: holds {', '.join(folders)}, which no comparison does; move what is there away"
            )
        for leftover in run.path.iterdir():
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            elif leftover != run.lock:
                leftover.unlink()
    for folder in (run.path, *run.path.glob("step_*/**/")):
        sweep_partial(folder)
    write_config(run, config)
    run.write_status("running", config_hash=config_hash(config))


def discard_after(run: RunDirectory, step: int) -> None:
    """Remove the captures of steps after `step`: training comes by there again."""
    for captured, folder in run.steps().items():
        if captured > step:
            shutil.rmtree(folder)
