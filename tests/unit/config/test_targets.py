"""What a configuration may name as code: its spelling, before anything is imported."""

from __future__ import annotations

import pytest

from src.config import RequestError
from src.config.resolve import resolve_config
from src.config.targets import target_problems
from tests.support.builders import composed, options
from tests.support.giotto import HAS_GIOTTO, WITHOUT_GIOTTO

RIPS = "gtda.homology.VietorisRipsPersistence"


@pytest.mark.parametrize(
    "target",
    ["os.system", "builtins.eval", "numpy.load", "gtda", "gtda.", "sklearn..x", "sklearn.utils._joblib.load",
     "src.system.files.set_aside", "src.topologyx.y", "topotrace.run.run", "gtda.homology.x()", " gtda.homology.x",
     "sklearn.__init__.x", "gtda/../x.y", "${oc.env:X}", "gtda.homology.\u0391"],
)  # fmt: skip
def test_a_target_from_elsewhere_is_refused_wherever_it_stands(target: str) -> None:
    for transformer in (
        {"_target_": target},
        {"_target_": RIPS, "metric_params": {"inner": [{"_target_": target}]}},
        {"_target_": RIPS, "_args_": [{"_target_": target}]},
    ):
        assert any(f"_target_={target}: must begin with" in problem for problem in target_problems(transformer, []))


def test_what_the_command_line_allows_may_be_named() -> None:
    assert not list(target_problems({"_target_": "mine.Method"}, ["mine.Method"]))
    assert list(target_problems({"_target_": "mine.Method2"}, ["mine.Method"]))
    assert list(target_problems({"_target_": RIPS}, ["mine"])), "a package is no class"


def test_caches_and_unknown_special_keys_are_refused_wherever_they_stand() -> None:
    for part in ({"memory": "folder"}, {"_recursive_": False}, {"_convert": "all"}):
        (problem,) = target_problems({"_target_": RIPS, "inner": {"_target_": RIPS, **part}}, [])
        assert problem.startswith(f"tda.transformer.{next(iter(part))}")
    assert not list(target_problems({"_target_": RIPS, "memory": None, "_convert_": "all"}, []))


@pytest.mark.parametrize("name", [name for name in options("tda") if name != "none"])
def test_a_method_of_giotto_is_refused_by_name_where_it_is_not_installed(name: str) -> None:
    config = composed(f"tda={name}")
    if HAS_GIOTTO or name in WITHOUT_GIOTTO:
        assert resolve_config(config).tda.name == name
        return
    with pytest.raises(RequestError, match=r"tda\.transformer\._target_=gtda\.\w+\.\w+: needs giotto-tda, .*Python"):
        resolve_config(config)


@pytest.mark.skipif(HAS_GIOTTO, reason="giotto-tda is installed")
def test_the_engine_of_giotto_is_refused_where_it_is_not_installed() -> None:
    with pytest.raises(RequestError, match=r"^tda\.engine=giotto: giotto-ph is not installed here; use auto"):
        resolve_config(composed("tda.engine=giotto"))
