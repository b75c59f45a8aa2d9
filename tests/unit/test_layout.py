"""The layout of the tests: who looks for the tests of a module finds them, and no test module hangs on another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT

TESTS = ROOT / "tests"
UNIT = TESTS / "unit"
TOPICS = {
    "topology/test_engines.py",  # the two engines against each other
    "topology/test_methods.py",  # every shipped method on one loop
    "training/test_architectures.py",  # every family of the shipped models
}
"""Unit tests that belong to no single module."""


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")


def imported(text: str, package: tuple[str, ...]) -> Iterator[str]:
    """Absolute names of what a module imports, late and in the scripts that it gives to other processes, too."""
    trees = [ast.parse(text)]
    for node in ast.walk(trees[0]):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value:
            try:
                trees.append(ast.parse(node.value))
            except SyntaxError:
                continue  # prose
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_test(module: str) -> bool:
    """Whether a module is one that only pytest loads."""
    parts = module.split(".")
    return parts[0] == "tests" and any(part.startswith("test_") or part == "conftest" for part in parts)


@pytest.mark.parametrize("path", modules(TESTS), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_module_imports_a_test_module(path: Path) -> None:
    package = path.relative_to(ROOT).parent.parts
    assert [name for name in imported(path.read_text(), package) if is_test(name)] == []


NAME = "test_jsonl"


@pytest.mark.parametrize(
    "text",
    [
        f"from tests.unit.data.{NAME} import USER",
        f"from ..unit.data.{NAME} import USER",
        f"from ..unit.data import {NAME}",
        f"import tests.unit.data.{NAME}",
        f"def late():\n    from tests.unit.data import {NAME}",
        f'SCRIPT = """\nimport sys\nfrom tests.unit.data.{NAME} import *\n"""',
    ],
)
def test_an_import_is_seen_wherever_it_stands(text: str) -> None:
    assert any(map(is_test, imported(text, ("tests", "slow"))))


@pytest.mark.parametrize("path", sorted(UNIT.glob("*/**/test_*.py")), ids=lambda path: str(path.relative_to(UNIT)))
def test_a_unit_test_stands_at_the_path_of_its_module(path: Path) -> None:
    where = path.relative_to(UNIT)
    module = ROOT / "src" / where.parent / where.name.removeprefix("test_")
    there = module.exists() or module.with_suffix("").is_dir()
    assert there != (str(where) in TOPICS), f"no {module.relative_to(ROOT)}, and no topic of test_layout.py"


def test_every_test_lies_in_one_of_the_three_folders() -> None:
    assert {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")} == {"unit", "commands", "slow"}
