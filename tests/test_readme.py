"""Every command of the README is composed, and run with few steps unless its comment names a GPU, the hub or hours."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from .conftest import ROOT, run_module

README = (ROOT / "README.md").read_text()
LINES = [
    line.strip() for line in README.splitlines() if re.match(r" {4}(make|(\.venv/bin/)?python) ", line)
]  # fmt: skip
FEW = "trainer.max_steps=6 trainer.warmup_steps=1 trainer.progress=false schedule.early=2 schedule.late=2 probe.size=24"
ELSEWHERE = {
    "make run": "is `python -m src.run`, below",
    "make test": "is what continuous integration runs",
    ".venv/bin/python -m src.ui": "test_ui.py and test_browser.py",
}
COMMANDS = [line for line in LINES if line not in ELSEWHERE]


def parts_of(line: str) -> tuple[str, list[str], str]:
    """Module, words and comment of a command line."""
    command, _, comment = line.partition("#")
    words = shlex.split(command.replace("<", "'<").replace(">", ">'"))
    assert words[:2] == ["python", "-m"]
    return words[2], words[3:], comment


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the README's examples assume: prompts, dialogues, a method file."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "probes.txt").write_text("".join(f"What comes after {n}?\n" for n in range(200)))
    (folder / "mine" / "tda").mkdir(parents=True)
    block = README[README.index("    name: geodesic") :].partition("\n\n")[0]
    (folder / "mine" / "tda" / "geodesic.yaml").write_text(block.replace("\n    ", "\n").strip() + "\n")
    rows = re.findall(r"^ {4}(\{.*\})$", README, re.MULTILINE)
    assert len(rows) >= 3
    for row in rows:
        json.loads(row)
    own = folder / "own"
    own.mkdir()
    for source in ("helpful", "harmless"):
        varied = [row.replace("Hi", f"{source} question {n}?") for n in range(150) for row in rows]
        (own / f"{source}.jsonl").write_text("\n".join(varied))
    return folder


def fill_in(words: list[str], place: Path, shared_data: Path) -> list[str]:
    """The words with the README's placeholders replaced."""
    dialogues = place / "own" if "objective.dialogues=jsonl" in words else shared_data / "hh-rlhf"
    filled = {
        "model.path=<folder or hub id>": f"model.path={ROOT}/src/assets/tiny",
        "objective.data_dir=<folder>": f"objective.data_dir={dialogues}",
    }
    return [filled.get(word, word) for word in words]


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 12
    assert set(ELSEWHERE) <= set(LINES)


@pytest.mark.parametrize("line", [line for line in COMMANDS if " -m model" not in line])  # -m: --cfg shows one job
def test_every_command_composes(line: str, place: Path, shared_data: Path) -> None:
    module, words, _ = parts_of(line)
    done = run_module(module, *fill_in(words, place, shared_data), "--cfg", "job", cwd=place)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def default_run(place: Path) -> subprocess.CompletedProcess[str]:
    """What `make run` starts, with all its defaults."""
    return run_module("src.run", cwd=place)


@pytest.fixture(scope="module")
def first_sweep(place: Path) -> None:
    """What the examples of a comparison read; the sweep's own example then finds it done."""
    line = next(line for line in COMMANDS if "sweep=first" in line)
    module, words, _ = parts_of(line)
    done = run_module(module, *words, *FEW.split(), cwd=place)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_default_run_ends_well(default_run: subprocess.CompletedProcess[str]) -> None:
    assert default_run.returncode == 0, default_run.stderr
    assert "python -m src.ui" in default_run.stdout


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in COMMANDS if not re.search("GPU|hub|hour", parts_of(line)[2])])
def test_every_command_that_needs_neither_gpu_nor_hub_nor_hours_runs(
    line: str, place: Path, shared_data: Path, request: pytest.FixtureRequest
) -> None:
    module, words, _ = parts_of(line)
    if module == "src.analyze":
        request.getfixturevalue("default_run")  # its clouds are what the example reads
    if module == "src.compare":
        request.getfixturevalue("first_sweep")
    few = FEW.split() if module == "src.run" and "--help" not in words else []
    done = run_module(module, *fill_in(words, place, shared_data), *few, cwd=place)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_for_ones_own_arrays_tells_its_findings(capsys: pytest.CaptureFixture[str]) -> None:
    start = README.index("    from src.measure import track")
    block = "\n".join(line[4:] for line in README[start:].partition("\n\nA run is")[0].splitlines())
    rng = np.random.default_rng(0)
    clouds = {0: rng.normal(size=(40, 8))}
    for step in range(1, 22):
        clouds[step] = clouds[step - 1] + 0.01 * rng.normal(size=(40, 8))
    exec(block, {f"x{step}": cloud for step, cloud in clouds.items()})
    said = capsys.readouterr().out
    assert "H1 changed as much as chance" in said
    assert "3 of 3" not in said
