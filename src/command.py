"""What the commands share: compose with Hydra, turn every wrong request into one short message, set the exit status."""

from __future__ import annotations

import dataclasses
import difflib
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from .config import Config, RequestError

HERE = Path(__file__).resolve().parent
CONF = HERE / "conf" if (HERE / "conf").is_dir() else HERE.parent / "conf"  # in a wheel it lies inside the package

logger = logging.getLogger(__name__)


def launch(task: Callable[[DictConfig], None], config_name: str, schema: type) -> None:
    """Run `task` on every composed configuration; exit 1 when a run failed, 2 when the request is wrong."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger(__package__).setLevel(logging.INFO)
    # Libraries warning each other of their next major version: the test suite listens, a user need not.
    warnings.simplefilter("ignore", FutureWarning)
    ConfigStore.instance().store(name=f"{config_name}_schema", node=schema)
    traceback_wanted = os.environ.get("HYDRA_FULL_ERROR") == "1" or "debug=true" in (a.lower() for a in sys.argv)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises instead of printing and exiting with 1
    launcher, statuses = os.getpid(), []

    def guarded(composed: DictConfig) -> None:
        try:
            task(composed)
            statuses.append(0)
        except Exception as error:
            # In a launcher's worker process only an exception reaches the launcher.
            if traceback_wanted or os.getpid() != launcher:
                raise
            statuses.append(report(error, schema))

    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(guarded)()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if traceback_wanted:
            raise
        # Nothing ran yet: whatever was raised came from reading the request.
        statuses.append(report(error if statuses else RequestError(explain(error, schema)), schema))
    sys.exit(max(statuses, default=0))


def report(error: Exception, schema: type) -> int:
    """Print one message for `error` on standard error; returns the exit status it stands for."""
    if isinstance(error, (RequestError, HydraException, OmegaConfBaseException)):
        print(explain(error, schema), file=sys.stderr)
        return 2
    print(f"failed: {type(error).__name__}: {error}\n(HYDRA_FULL_ERROR=1 shows the traceback)", file=sys.stderr)
    return 1


def explain(error: Exception, schema: type = Config) -> str:
    """One message for a wrong request: the key, the value, what to do."""
    if isinstance(error, RequestError):
        return str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, option = str(error.missing_cfg_file).rpartition("/")
        return f"{group}={option}: unknown{_nearest(option, error.options)}; known: {', '.join(error.options)}"
    if isinstance(error, OverrideParseException):
        return f"{error.override}: cannot be read as key=value; quote what has spaces or brackets: 'key=\"a b\"'"
    cause = error.__cause__ or error
    key = getattr(cause, "full_key", None) or _key_in(str(error))
    first = str(cause).splitlines()[0]
    if key and re.search(
        r"Key '.*' (is )?not in|[Cc]ould not (override|find)|No match in the defaults", f"{error}\n{first}"
    ):
        known = [*key_names(schema), *sorted(p.name for p in CONF.iterdir() if p.is_dir())]
        return f"{key}: no such key{_nearest(key, known)}; --cfg job lists all"
    value = _value_of(key)
    return f"{key}={value}: {first}" if key and value is not None else first


def key_names(schema: type, prefix: str = "") -> Iterator[str]:
    """Dotted names of every key of a schema."""
    for item in dataclasses.fields(schema):
        inner: Any = item.default_factory
        if dataclasses.is_dataclass(inner):
            yield from key_names(inner, f"{prefix}{item.name}.")  # type: ignore[arg-type]
        else:
            yield prefix + item.name


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _key_in(message: str) -> str | None:
    found = re.search(r"(?:override|key:?|Key) '?([\w.@/]+)", message)
    return found.group(1) if found else None


def _value_of(key: str | None) -> str | None:
    """What the command line gave for `key`."""
    given = [word.partition("=")[2] for word in sys.argv[1:] if word.partition("=")[0].lstrip("+~") == key]
    return given[-1] if given else None
