"""Commands by their name: the table of them, and what is said of a word that is none."""

from __future__ import annotations

import pytest

from src.__main__ import COMMANDS, main
from src.system.invocation import command_line, is_command, is_program
from tests.support.processes import ROOT, Command


def start(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["topotrace", *words])
    main()


def test_every_command_of_the_package_has_a_line() -> None:
    modules = {path.stem for path in (ROOT / "src").glob("*.py") if "\n    launch(" in path.read_text()}
    assert modules == set(COMMANDS)


def test_a_word_that_is_no_command_is_named_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        start(monkeypatch, "anlyze", "run=x")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("anlyze: no such command (did you mean analyze?); known: run, ")


def test_without_a_word_the_usage_is_an_error_and_with_help_it_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start(monkeypatch, "--help")
    helped = capsys.readouterr().out
    assert all(f"  {name} " in helped for name in COMMANDS)
    with pytest.raises(SystemExit) as ended:
        start(monkeypatch)
    assert ended.value.code == 2
    assert capsys.readouterr().err == helped


@pytest.mark.parametrize(("typed", "expected"), [("topotrace ", set(COMMANDS)), ("topotrace s", {"sync"})])
def test_a_shell_that_asks_before_the_command_is_given_is_told_the_commands(
    typed: str, expected: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMP_LINE", typed)
    start(monkeypatch, "-sc", "query=bash")
    assert set(capsys.readouterr().out.split()) == expected


def test_a_command_by_its_name_is_the_module(command: Command) -> None:
    by_name, module = command("src", "run", "seed=3", "--cfg", "job"), command("src.run", "seed=3", "--cfg", "job")
    assert by_name.returncode == 0
    assert by_name.stdout == module.stdout


def test_a_process_knows_how_it_was_started() -> None:
    assert is_program(["/venv/bin/python", "/venv/bin/topotrace", "run"])
    assert is_command(["python", "-m", "src", "run"])
    assert is_command(["python", "-X", "dev", "-m", "src.run"])
    for others in (["python", "-m", "pytest", "src"], ["python", "topotrace.py"], ["python", "-c", "import src"], [""]):
        assert not is_command(others)


def test_a_clone_is_told_the_module() -> None:
    assert command_line("ui") == "python -m src.ui"
