"""What a configuration may name as code: its spelling, before anything is imported."""

from __future__ import annotations

import pytest

from src.config.targets import target_problems

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
