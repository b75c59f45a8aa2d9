"""Where the directory of a configuration lies, and what a run is called."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from omegaconf.errors import OmegaConfBaseException

from ..config import Config
from ..config.commands import CompareConfig
from ..config.identity import hash_values, identity
from ..system.files import DamagedError
from .layout import CONFIG_FILE, ROOT, RunDirectory
from .state import load_config, load_measured_config


def directory_of_run(config: Config, baseline: Config) -> RunDirectory:
    """The one directory of a configuration.

    `baseline` is the same model, objective and method with nothing else overridden.
    """
    default = identity(baseline) | {"seed": config.seed}
    changed = {key: value for key, value in identity(config).items() if default.get(key) != value}
    # A key that only the defaults have was removed: that is a change too.
    changed |= dict.fromkeys(default.keys() - identity(config).keys())
    place = ROOT / config.model.name / config.objective.name / config.tda.name
    run = RunDirectory(place / (f"seed{config.seed}" + (f"-{hash_values(changed)[:8]}" if changed else "")))
    return run if run.config.exists() else _named_otherwise(place, config) or run


def _named_otherwise(place: Path, config: Config) -> RunDirectory | None:
    """A directory of this very configuration whose name was made when other keys counted for it."""
    for path in sorted(place.glob(f"seed{config.seed}-*/{CONFIG_FILE}")):
        run = RunDirectory(path.parent)
        with suppress(OmegaConfBaseException, DamagedError):  # of another version, or damaged: not to be told
            if identity(load_config(run)) == identity(config):
                return run
    return None


def directory_of_analysis(source: RunDirectory, config: Config) -> RunDirectory:
    """The directory of an analysis: beside the clouds that it reads, one for each method with its settings and lag."""
    settings = {key: value for key, value in identity(config).items() if key.startswith("tda.")}
    if config.schedule.lag != load_measured_config(source).schedule.lag:
        settings["schedule.lag"] = config.schedule.lag
    return RunDirectory(source.path / "analysis" / f"{config.tda.name}-{hash_values(settings)[:8]}")


def comparison_name(config: CompareConfig) -> str:
    """What a comparison is called: as its sweep, or by a hash of what was asked for."""
    if config.sweep and re.fullmatch(r"\w[\w.-]{0,99}", config.sweep):
        return config.sweep
    wanted = {"sweep": config.sweep, "runs": config.runs, "filter": config.filter}
    return f"{next(key for key, value in wanted.items() if value)}-{hash_values(wanted)[:8]}"


def directory_of_comparison(config: CompareConfig) -> RunDirectory:
    """The one directory of a comparison, so that the same request again takes the place of the earlier one."""
    return RunDirectory(ROOT / "comparison" / comparison_name(config))


def also_in(sweep: str) -> str:
    """The MLflow tag of a run that was done before a sweep that has its cell."""
    return f"also_in_{sweep}"


def run_name(config: Config | CompareConfig) -> str:
    """What a run is called where people read it."""
    if isinstance(config, CompareConfig):
        return f"comparison {comparison_name(config)}"
    return f"{config.model.name} {config.objective.name} {config.tda.name} seed{config.seed}"
