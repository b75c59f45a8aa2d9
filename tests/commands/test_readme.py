"""The documents: their links, their paths, and every command, composed, and run with few steps unless it takes long.

A command is a line indented by four spaces. One whose comment names a GPU, the hub, minutes or hours is only composed.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import textwrap
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from src.training.model import save_adapter
from tests.support.networks import make_network
from tests.support.processes import ROOT, run_module

FOLDERS = ("conf", "src", "tests")
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md", ROOT / "CONTRIBUTING.md",
        *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("README.md")),
    )
}  # fmt: skip
TEXT = "\n".join(DOCUMENTS.values())

FEW = "trainer.max_steps=6 trainer.warmup_steps=1 trainer.progress=false schedule.early=2 schedule.late=2 probe.size=24"
ELSEWHERE = {
    "make run": "is `python -m src.run`, which a test below runs",
    "make test": "is what continuous integration runs",
    "make lint": "is a part of `make test`",
    "python -m src.ui": "serves until it is stopped: it has tests of its own",
}
TOO_MUCH = re.compile("GPU|hub|hour|minutes")


def read_commands() -> dict[str, str]:
    """Each command of the documents once, with all comments that stand behind it."""
    found: dict[str, str] = {}
    for line in re.findall(r"^ {4}((?:make|python) .*)$", TEXT, re.MULTILINE):
        command, _, comment = line.partition("#")
        found[command.strip()] = found.get(command.strip(), "") + comment
    return found


COMMANDS = read_commands()
OURS = [command for command in COMMANDS if command not in ELSEWHERE and command.startswith("python -m src.")]


def parts_of(command: str) -> tuple[str, list[str]]:
    """Module and words of a command."""
    words = shlex.split(command.replace("<", "'<").replace(">", ">'"))
    assert words[:2] == ["python", "-m"]
    return words[2], words[3:]


def block_from(first: str) -> str:
    """The indented block of a document that begins with the line `first`, without its indentation."""
    found = re.search(rf"^ {{4}}{re.escape(first)}\n(?: {{4}}.*\n|\n)*", TEXT, re.MULTILINE)
    assert found, first
    return textwrap.dedent(found[0])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples assume: prompts, dialogues, a method file."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "probes.txt").write_text("".join(f"What comes after {n}?\n" for n in range(200)))
    (folder / "mine" / "tda").mkdir(parents=True)
    (folder / "mine" / "tda" / "geodesic.yaml").write_text(block_from("name: geodesic").partition("\n\n")[0] + "\n")
    rows = re.findall(r"^ {4}(\{.*\})$", TEXT, re.MULTILINE)
    assert len(rows) >= 3
    for row in rows:
        json.loads(row)
    own = folder / "own"
    own.mkdir()
    for source in ("helpful", "harmless"):
        varied = [row.replace("Hi", f"{source} question {n}?") for n in range(150) for row in rows]
        (own / f"{source}.jsonl").write_text("\n".join(varied))
    return folder


def fill_in(words: list[str], place: Path, request: pytest.FixtureRequest) -> list[str]:
    """The words with the placeholders of the documents replaced."""
    model = f"{ROOT}/src/assets/tiny"
    filled = {"model.path=<folder or hub id>": f"model.path={model}", "track.base=<model>": f"track.base={model}"}
    if "objective.data_dir=<folder>" in words:
        own = "objective.dialogues=jsonl" in words
        dialogues = place / "own" if own else request.getfixturevalue("shared_data") / "hh-rlhf"
        filled["objective.data_dir=<folder>"] = f"objective.data_dir={dialogues}"
    if "adapter.resume=<folder of an adapter>" in words:
        save_adapter(make_network("embedded:tiny"), place / "adapter")
        filled["adapter.resume=<folder of an adapter>"] = f"adapter.resume={place / 'adapter'}"
    return [filled.get(word, word) for word in words]


def test_the_readme_is_short() -> None:
    assert len(DOCUMENTS["README.md"].splitlines()) <= 150


def headings_of(text: str) -> set[str]:
    """Addresses of the headings of a document, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)]+)\)", DOCUMENTS[name]):
        path, _, heading = target.partition("#")
        if not path.startswith("http"):
            file = folder / path if path else ROOT / name
            assert file.exists(), target
            assert not heading or heading in headings_of(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_is_named_exists(name: str) -> None:
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)`", DOCUMENTS[name])
    missing = [path for path in named if not any(ROOT.glob(path.rstrip("/")))]
    assert not missing


def test_every_module_that_is_named_exists() -> None:
    modules = {module.rstrip(".") for module in re.findall(r"python -m ((?:src|tests)[\w.]*)", TEXT)}
    assert len(modules) >= 10
    assert [module for module in sorted(modules) if find_spec(module) is None] == []


def test_the_documents_have_commands() -> None:
    assert len(OURS) >= 20
    assert set(ELSEWHERE) <= set(COMMANDS)
    others = [command for command in COMMANDS if command not in (*OURS, *ELSEWHERE)]
    # What lies beside src/ takes no configuration, and is too long for a test.
    assert all(command.startswith("python -m tests.") for command in others), others


@pytest.mark.parametrize("command", [command for command in OURS if " -m model" not in command])  # --cfg shows one job
def test_every_command_composes(command: str, place: Path, request: pytest.FixtureRequest) -> None:
    module, words = parts_of(command)
    done = run_module(module, *fill_in(words, place, request), "--cfg", "job", cwd=place)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def default_run(place: Path) -> subprocess.CompletedProcess[str]:
    """What `make run` starts, with all its defaults."""
    return run_module("src.run", cwd=place)


@pytest.fixture(scope="module")
def first_sweep(place: Path) -> None:
    """What the examples of a comparison read; the sweep's own example then finds it done."""
    module, words = parts_of(next(command for command in OURS if "src.run" in command and "sweep=first" in command))
    done = run_module(module, *words, *FEW.split(), cwd=place)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_default_run_ends_well(default_run: subprocess.CompletedProcess[str]) -> None:
    assert default_run.returncode == 0, default_run.stderr
    shown = block_after(DOCUMENTS["README.md"], "(lines are cut here):")
    assert shown[-1] == default_run.stdout.splitlines()[-1] == "Compare runs in the MLflow UI:  python -m src.ui"


def block_after(text: str, sentence: str) -> list[str]:
    """The lines of the fenced block that follows a sentence."""
    return text.partition(sentence)[2].split("```")[1].strip().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in OURS if not TOO_MUCH.search(COMMANDS[command])])
def test_every_command_that_needs_neither_gpu_nor_hub_nor_minutes_runs(
    command: str, place: Path, request: pytest.FixtureRequest
) -> None:
    module, words = parts_of(command)
    if module == "src.analyze":
        request.getfixturevalue("default_run")  # its clouds are what the example reads
    if module == "src.compare":
        request.getfixturevalue("first_sweep")
    few = FEW.split() if module == "src.run" and "--help" not in words else []
    done = run_module(module, *fill_in(words, place, request), *few, cwd=place)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_for_ones_own_arrays_tells_its_findings(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    clouds = {0: rng.normal(size=(40, 8))}
    for step in range(1, 22):
        clouds[step] = clouds[step - 1] + 0.01 * rng.normal(size=(40, 8))
    exec(block_from("from src.measure import track"), {f"x{step}": cloud for step, cloud in clouds.items()})
    shown = capsys.readouterr().out
    assert "H1 changed as much as chance" in shown
    assert "3 of 3" not in shown


@pytest.mark.slow
@pytest.mark.usefixtures("first_sweep")
def test_the_example_for_a_sweep_loads_every_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(place)
    names: dict[str, object] = {}
    exec(block_from("from src.compare import load_runs"), names)
    numbers = names["numbers"]
    assert numbers.run.nunique() == 4  # type: ignore[attr-defined]
