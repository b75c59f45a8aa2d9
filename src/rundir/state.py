"""What an earlier start left in a run directory, and how the next one begins."""

from __future__ import annotations

import shutil

from omegaconf import OmegaConf

from ..config import Config, RequestError
from ..config.commands import CompareConfig
from ..config.identity import config_hash, identity, inert, literal, plain
from ..config.schedule import lag_of, with_lag
from ..config.schema import AUTO
from ..system.files import DamagedError, read_json, replacing, set_aside
from ..system.secrets import redacted
from .layout import RunDirectory


def load_config(run: RunDirectory) -> Config:
    """The configuration that a run was made with; nothing in the file is taken for a reference to something else."""
    there = inert(OmegaConf.to_container(OmegaConf.load(run.config)))
    stored = OmegaConf.merge(OmegaConf.structured(Config), there)
    return OmegaConf.to_object(stored)  # type: ignore[return-value]


def read_lag(run: RunDirectory) -> int | None:
    """The lag that an earlier start chose; None if there is none. A damaged file is set aside."""
    if not run.lag.exists():
        return None
    try:
        return int(read_json(run.lag)["lag"])
    except DamagedError as error:
        set_aside(run.lag, error.reason)
        return None


def load_measured_config(run: RunDirectory) -> Config:
    """The configuration that a run was measured with: as `load_config`, with the lag that was chosen.

    Raises:
        RequestError: if it asked for a lag to be chosen and none was.
    """
    config = load_config(run)
    lag = read_lag(run) if config.schedule.lag == AUTO else lag_of(config.schedule)
    if lag is None:
        raise RequestError(f"{run.path}: its schedule.lag=auto, and no lag was chosen yet; run it first")
    return with_lag(config, lag)


def check_earlier_start(run: RunDirectory, config: Config) -> bool:
    """Whether this very configuration is done already.

    Raises:
        RequestError: if the directory holds another configuration, with the keys that differ.
    """
    if config.force or not run.config.exists():
        return False
    ours, theirs = identity(config), identity(load_config(run))
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
    with replacing(run.config) as partial:
        OmegaConf.save(OmegaConf.create(literal(redacted(plain(config)))), partial)
    run.write_status("running", config_hash=config_hash(config))


def discard_after(run: RunDirectory, step: int) -> None:
    """Remove the captures of steps after `step`: training comes by there again."""
    for captured, folder in run.steps().items():
        if captured > step:
            shutil.rmtree(folder)
