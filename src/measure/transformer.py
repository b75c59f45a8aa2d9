"""The transformer that a configuration names, made of nothing but what a configuration may run.

A name is looked up in its package without calling anything, and then the object is judged by where it was defined: a
module has many attributes that it only imported, such as readers of files that run code.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .. import PACKAGE
from ..config import RequestError, TdaConfig
from ..config.targets import target_problems
from ..config.transformer import importable
from ..topology.homology import Transformer

LIBRARIES = ("gtda", "sklearn")
"""Packages whose estimators may be parts of a transformer."""

_COMPOSERS = (
    ("sklearn.pipeline", "make_pipeline"),
    ("sklearn.pipeline", "make_union"),
    ("gtda.pipeline", "make_pipeline"),
)
"""Functions that make one transformer of several: module and name of their definition."""


def build_transformer(tda: TdaConfig) -> Transformer:
    """The transformer that the configuration names.

    Raises:
        RequestError: if there is no such class, or it is none that a configuration may name; nothing is called then.
    """
    problems = list(target_problems(tda.transformer, tda.allow))
    if problems:
        raise RequestError(problems[0])
    allow = tuple(importable({"_target_": name})["_target_"] for name in tda.allow)
    made: Transformer = _make(_with_objects(importable(tda.transformer), allow))
    return made


def _with_objects(nested: Any, allow: tuple[str, ...]) -> Any:
    """The configuration with objects in the place of all names, each judged before any of them is called."""
    if isinstance(nested, list):
        return [_with_objects(value, allow) for value in nested]
    if not isinstance(nested, dict):
        return nested
    found = {key: _with_objects(value, allow) for key, value in nested.items() if key != "_target_"}
    return found | ({"_target_": find_target(nested["_target_"], allow)} if "_target_" in nested else {})


def _make(nested: Any) -> Any:
    if isinstance(nested, list):
        return [_make(value) for value in nested]
    if not isinstance(nested, dict):
        return nested
    given = {key: _make(value) for key, value in nested.items() if key != "_target_"}
    if "_target_" not in nested:
        return given
    target, args, is_partial = nested["_target_"], given.pop("_args_", []), given.pop("_partial_", False)
    given.pop("_convert_", None)
    _refuse_caches(target, args, given)
    return functools.partial(target, *args, **given) if is_partial else target(*args, **given)


def _refuse_caches(target: Callable[..., Any], args: Sequence[Any], given: dict[str, Any]) -> None:
    """A cache is a folder of pickles, by whatever place among the arguments it is named."""
    try:
        bound = inspect.signature(target).bind_partial(*args, **given).arguments
    except (TypeError, ValueError):
        return  # no such parameters, which the call itself says better, or a signature that nobody knows
    if bound.get("memory") is not None:
        raise RequestError(f"tda.transformer.memory={bound['memory']}: reading a cache runs what is in it; drop it")


@functools.cache
def find_target(name: str, allow: tuple[str, ...] = ()) -> Callable[..., Any]:
    """The class or function of a dotted name.

    Args:
        allow: names that may be anything.

    Raises:
        RequestError: if there is none, or it is not a part of a transformer.
    """
    place, _, last = name.rpartition(".")
    try:
        # As a module: `sklearn.base.np` is an attribute of one, and none that was asked for.
        found = getattr(importlib.import_module(place), last)
    except (ImportError, AttributeError) as error:
        raise RequestError(f"tda.transformer._target_={name}: there is no such class ({error})") from error
    if name not in allow and not _may_run(found):
        defined = f"{getattr(found, '__module__', None)}.{getattr(found, '__qualname__', last)}"
        raise RequestError(
            f"tda.transformer._target_={name}: is {defined}, no estimator of {' or '.join(LIBRARIES)} and no "
            f"method of this package; tda.allow=[{name}] on the command line runs it"
        )
    target: Callable[..., Any] = found
    return target


def _may_run(found: Any) -> bool:
    module, name = str(getattr(found, "__module__", "")), getattr(found, "__qualname__", "")
    if not isinstance(found, type):
        return inspect.isfunction(found) and (module, name) in _COMPOSERS
    from sklearn.base import BaseEstimator

    is_library = module.partition(".")[0] in LIBRARIES and issubclass(found, BaseEstimator)
    is_own = module.startswith(f"{PACKAGE}.topology.") and hasattr(found, "fit_transform")
    return is_library or is_own
