"""What a composed configuration may tell Hydra itself to run, checked before Hydra does anything with it.

Files of others (`--config-dir`) may set every key, those of Hydra too: callbacks and loggers are code by name, and what
a launcher writes into the script of a job is code as it stands.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from omegaconf import DictConfig, OmegaConf

from .setting import RequestError
from .transformer import parts_of

OWN_CALLBACKS = ("${package:}.sweeps.plan.PlanSweep", "${package:}.sweeps.launchers.SupervisorCallback")
"""As `conf/hydra/callbacks` names them."""

PLUGINS = ("hydra_plugins.", "hydra._internal.core_plugins.")
"""Where launchers and sweepers come from; Hydra takes those of their classes alone that are plugins."""

SAMPLER = re.compile(r"optuna\.samplers\.\w+")
"""What a part of a sweeper may be: behind a module's name others would reach all that it imports."""

SWEEPER_KEYS = ("storage", "custom_search_space")
"""Of a sweeper of Optuna: a database that is made, a function by its name."""

SHELL_KEYS = ("setup", "teardown", "srun_args", "additional_parameters", "python", "use_srun")
"""Of a launcher: what becomes lines of a job's shell script."""

FOLDER_KEYS = ("submitit_folder", "temp_folder")
"""Of a launcher: where it writes."""

_WORD = re.compile(r"[\w.,:+=@%/ *-]*")
"""What a name of a partition, an amount of memory or a folder is made of: it ends no line and refers to nothing."""

_NOW = re.compile(r"\$\{now:(?:%[YmdHMSjf]|[\w-])*\}")
"""Hydra's own in the names of folders; other directives of `strftime` give ends of lines."""

_JOB_NUMBER = "${hydra.job.num}"

_DEFAULTS = ("${cells_at_once:}", "${hydra.job.name}", "${hydra.sweep.dir}/.submitit/%j")

LOG_HANDLERS = ("logging.StreamHandler", "logging.NullHandler")
LOG_STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
LOG_FORMATTERS = ("logging.Formatter", "colorlog.ColoredFormatter")


def guard_composition() -> None:
    """Let Hydra refuse, from now on, every configuration that would run what is not ours; once is enough."""
    # The one place that all of Hydra's ways to a configuration go through, before it sets up logging and callbacks.
    load = ConfigLoaderImpl.load_configuration
    if hasattr(load, "__wrapped__"):
        return

    @functools.wraps(load)
    def load_guarded(self: ConfigLoaderImpl, *args: Any, **kwargs: Any) -> DictConfig:
        composed = load(self, *args, **kwargs)
        given = kwargs["overrides"] if "overrides" in kwargs else args[1]
        problems = list(composition_problems(composed, given))
        if problems:
            raise RequestError("\n".join(problems))
        return composed

    ConfigLoaderImpl.load_configuration = load_guarded


def composition_problems(composed: DictConfig, given: Sequence[str]) -> Iterator[str]:
    """What is wrong with a composed configuration, Hydra's part included.

    Args:
        given: the words of the command line.
    """
    hydra: dict[str, Any] = OmegaConf.to_container(composed.hydra)  # type: ignore[assignment]
    for name, part in (hydra.get("callbacks") or {}).items():
        for inner in parts_of(part):
            if "_target_" in inner and inner["_target_"] not in OWN_CALLBACKS:
                yield f"hydra.callbacks.{name}._target_={inner['_target_']}: no callback of this package; drop it"
    for group in ("launcher", "sweeper"):
        for number, inner in enumerate(parts_of(hydra.get(group))):
            target = str(inner.get("_target_", PLUGINS[0]))
            if not (SAMPLER.fullmatch(target) if number and "_target_" in inner else target.startswith(PLUGINS)):
                yield f"hydra.{group}._target_={inner['_target_']}: no plugin of Hydra; choose hydra/{group}=<name>"
    for group in ("job_logging", "hydra_logging"):
        yield from _logging_problems(group, hydra.get(group) or {})
    yield from _allowed_elsewhere(composed, hydra, given)
    for words in (hydra.get("overrides") or {}).values():
        for word in words or ():
            if word not in given:
                yield f"hydra.overrides: {word!r} was not given on the command line; drop it from the file"
    for key, what in _of_the_machine(hydra):
        if not any(_is_of(_key(word), key) for word in given):
            yield f"{key}: {what} counts on the command line alone; give it there, or drop it from the file"


def _key(word: str) -> str:
    return word.partition("=")[0].strip().lstrip("+~").strip()


def _is_of(given: str, key: str) -> bool:
    """Whether a key of the command line is the other one, or a part of it."""
    return f"{given}.".startswith(f"{key}.")


def _of_the_machine(hydra: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys by which a configuration runs commands, sets the environment or writes elsewhere, each with what it does."""
    for key, value in (hydra.get("launcher") or {}).items():
        name = f"hydra.launcher.{key}"
        if value in (None, [], {}) or key == "_target_" or value in _DEFAULTS:
            continue
        if key in SHELL_KEYS or not isinstance(value, (str, int, float)):
            yield name, f"{value} goes into the shell script of every job, and"
        elif isinstance(value, str) and not _WORD.fullmatch(value):
            yield name, f"{value!r} is more than a word, and"
        elif key in FOLDER_KEYS and not _is_below_multirun(str(value)):
            yield name, f"{value} lies outside multirun/, and"
    sweeper = hydra.get("sweeper") or {}
    for key in sweeper.get("params") or {}:
        if _key(str(key)).startswith("hydra"):  # a job of the sweep would take it for a word of its command line
            yield f"hydra.sweeper.params.{key}", "what it tells Hydra"
    for key in SWEEPER_KEYS:
        if sweeper.get(key):
            yield f"hydra.sweeper.{key}", f"{sweeper[key]!r}"
    job = hydra.get("job") or {}
    if not _WORD.fullmatch(str(job.get("name", ""))):
        yield "hydra.job.name", f"{job['name']!r} is more than a word, and"
    for name, value in (("env_set", job.get("env_set")), ("chdir", job.get("chdir"))):
        if value:
            yield f"hydra.job.{name}", f"{value} changes what every process finds, and"
    for group in ("run", "sweep"):
        folder = str((hydra.get(group) or {}).get("dir", ""))
        writes_nothing = group == "run" and folder == "." and not hydra.get("output_subdir")
        if not (writes_nothing or _is_below_multirun(folder)):
            yield f"hydra.{group}.dir", f"{_shown(folder)} lies outside multirun/, and"
    below = {"sweep.subdir": (hydra.get("sweep") or {}).get("subdir"), "output_subdir": hydra.get("output_subdir")}
    for name, inner in below.items():
        if inner not in (None, _JOB_NUMBER) and not _is_inside(str(inner)):
            yield f"hydra.{name}", f"{_shown(str(inner))} is no folder below the job's, and"


def _shown(folder: str) -> str:
    return folder if folder.isprintable() else repr(folder)


def _is_inside(folder: str) -> bool:
    """Whether a folder lies in the one that it is named in, whatever that is."""
    path = PurePath(folder)
    return _WORD.fullmatch(folder) is not None and not path.is_absolute() and ".." not in path.parts


def _is_below_multirun(folder: str) -> bool:
    folder = _NOW.sub("now", folder)
    return PurePath(folder).parts[:1] == ("multirun",) and _is_inside(folder)


def _logging_problems(group: str, logging: dict[str, Any]) -> Iterator[str]:
    """`logging.config` calls what stands at `()`, `class` and behind `ext://`."""
    for part in parts_of(logging):
        for key, value in part.items():
            known = LOG_HANDLERS if key == "class" else LOG_FORMATTERS
            runs = key in ("()", "class", ".") and value not in known
            refers = isinstance(value, str) and re.search(r"://|\$\{", value) and value not in LOG_STREAMS
            if runs or refers:
                yield f"hydra.{group}: {key}={value} is not run here; leave hydra/{group} out, run.log has every line"


def _allowed_elsewhere(composed: DictConfig, hydra: dict[str, Any], given: Sequence[str]) -> Iterator[str]:
    """A file must not allow itself what it names."""
    allowed = OmegaConf.select(composed, "tda.allow")
    swept = [key for key in (hydra.get("sweeper") or {}).get("params") or {} if _key(str(key)) == "tda.allow"]
    on_command_line = any(_key(word) == "tda.allow" for word in given)
    if swept or (allowed and not on_command_line):
        yield f"tda.allow={allowed or swept}: counts on the command line alone; name there what may be run"
