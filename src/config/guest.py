"""A configuration composed inside of somebody else's process: a notebook, a script, a trainer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from .messages import CONF, explain
from .setting import RequestError

Settings = Mapping[str, Any] | DictConfig | None
"""What a user gives as `config=`."""


@contextmanager
def own_hydra() -> Iterator[None]:
    """Hydra over `conf/`; afterwards it is as the script has it that calls, which `@hydra.main` may have started."""
    outer, version = GlobalHydra.instance().hydra, VersionBase.instance().version_base
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = outer  # only now: leaving puts another instance there
        VersionBase.instance().version_base = version


@contextmanager
def composing(schema: type, settings: Settings) -> Iterator[None]:
    """Inside, a configuration can be composed, and whatever composing and checking raises is a RequestError.

    Args:
        settings: of the user, for messages.
    """
    try:
        with own_hydra():
            yield
    except RequestError:
        raise
    except Exception as error:
        raise RequestError(explain(error, schema, _words(settings))) from error


def compose_with(
    name: str, schema: type, words: Sequence[str], settings: Settings, facts: Mapping[str, Any]
) -> DictConfig:
    """`conf/<name>.yaml` with the user's settings, and over these what is a fact; inside of `composing`.

    Args:
        words: as on the command line.
        settings: nested, dotted (`{"tda.points": 8}`), or a node of Hydra.
        facts: values by dotted key.

    Raises:
        RequestError: if the settings are none.
    """
    if settings is not None and not isinstance(settings, (Mapping, DictConfig)):
        raise RequestError(f"config is a {type(settings).__name__}; give a dict such as {{'tda.null_draws': 6}}")
    ConfigStore.instance().store(name=f"{name}_schema", node=schema)
    composed = OmegaConf.merge(compose(name, list(words)), OmegaConf.create(_nested(settings)))
    assert isinstance(composed, DictConfig)
    for key, value in facts.items():
        OmegaConf.update(composed, key, value)
    return composed


def _words(settings: Settings) -> list[str]:
    return (
        [f"{key}={value}" for key, value in settings.items() if isinstance(key, str)]
        if isinstance(settings, Mapping)
        else []
    )


def _nested(settings: Settings) -> dict[str, Any]:
    """A user's configuration as nested dictionaries; `{"tda.points": 8}` is as good as `{"tda": {"points": 8}}`."""
    if settings is None:
        return {}
    try:
        found = OmegaConf.to_container(settings, resolve=True) if isinstance(settings, DictConfig) else dict(settings)
    except OmegaConfBaseException as error:
        raise RequestError(f"config: {error}") from error
    assert isinstance(found, dict)
    nested = OmegaConf.create({})
    for key, value in found.items():
        OmegaConf.update(nested, str(key), value, force_add=True)
    return OmegaConf.to_container(nested)  # type: ignore[return-value]
