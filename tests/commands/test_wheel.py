"""The package as `pip` installs it: a wheel, built from what the container recipe copies, in an environment of its own.

There the package is called `topotrace`, as is its command.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

COMPOSE_ALL = """
from pathlib import Path
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
import topotrace
from topotrace.config import Config
from topotrace.config.resolve import resolve_config
from topotrace.measure.prepared_cloud import check_transformer

conf = Path(topotrace.__file__).parent / "conf"
ConfigStore.instance().store(name="config_schema", node=Config)
needed = {"local": ["model.path=somewhere"], "list": ["schedule.steps=[0,1]"], "study_real": ["model.path=somewhere"],
          "study_smollm": ["model.path=somewhere"], "none": ["++objective.weights.helpful=1"]}
with initialize_config_dir(str(conf), version_base="1.3"):
    for group in sorted(path.name for path in conf.iterdir() if path.is_dir() and path.name != "hydra"):
        for option in sorted(path.stem for path in (conf / group).glob("*.yaml")):
            config = resolve_config(compose("config", [f"{group}={option}", *needed.get(option, [])]))
            if group == "tda" and config.tda.transformer is not None:
                check_transformer(config.tda, config.probe.size)
            print(group, option)
"""


def copy_what_the_recipe_copies(folder: Path) -> None:
    """What the Dockerfile builds the package from, and nothing else."""
    recipe = (ROOT / "Dockerfile").read_text()
    named = [name for line in re.findall(r"^COPY (.*)$", recipe, re.MULTILINE) for name in line.split()[:-1]]
    assert {"pyproject.toml", "conf", "src"} <= set(named)
    for name in named:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment in which the package is installed, beside what it depends on."""
    tree, dist = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("dist")
    copy_what_the_recipe_copies(tree)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(dist), str(tree)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = dist.glob("*.whl")
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(environment), "platbase": str(environment)})
    (Path(paths["purelib"]) / "shared.pth").write_text(sysconfig.get_paths()["purelib"])
    python = str(Path(paths["scripts"]) / "python")
    target = ["--python", python, "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *target], check=True)
    return Path(paths["scripts"])


def environment(installed: Path) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "HYDRA", "PYTHON"))}
    return clean | {"PATH": f"{installed}{os.pathsep}{os.environ['PATH']}"}


def run(installed: Path, cwd: Path, *words: str, status: int = 0, **more: str) -> str:
    """Standard output of a program of the environment; standard error, if it has to fail."""
    command = [str(installed / words[0]), *words[1:]]
    done = subprocess.run(command, cwd=cwd, env=environment(installed) | more, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


def test_every_config_composes_and_every_method_can_be_made(installed: Path, tmp_path: Path) -> None:
    listed = run(installed, tmp_path, "python", "-c", COMPOSE_ALL).splitlines()
    shipped = {(path.parent.name, path.stem) for path in (ROOT / "conf").glob("*/*.yaml")}
    assert {tuple(line.split()) for line in listed} == shipped


def test_the_package_lies_under_its_own_name_alone(installed: Path, tmp_path: Path) -> None:
    asked = "import importlib.util as u; print([bool(u.find_spec(name)) for name in ('topotrace', 'src', 'conf')])"
    assert run(installed, tmp_path, "python", "-c", asked).strip() == "[True, False, False]"


def test_the_doctor_finds_nothing_to_object_to(installed: Path, tmp_path: Path) -> None:
    shown = run(installed, tmp_path, "topotrace", "doctor")
    assert "A run works here. Next: topotrace run experiment=smoke" in shown
    assert "problem" not in shown
    assert not list(tmp_path.iterdir())


def test_the_commands_work_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    sweep = ["experiment=smoke", "objective=helpful,harmless", "tda=cech", "sweep=wheel", "trainer.max_steps=6"]
    sweep += ["schedule.early=2", "schedule.late=2", "probe.size=24"]
    assert "2 cells" in run(installed, tmp_path, "topotrace", "run", "-m", *sweep)
    (source, *_) = sorted(path.parent for path in tmp_path.glob("multirun/*/helpful/cech/*/topology.parquet"))
    again = [f"run={source.relative_to(tmp_path)}", "tda=vietoris_rips"]
    shown = run(installed, tmp_path, "python", "-m", "topotrace.analyze", *again)
    assert shown.endswith("Compare runs in the MLflow UI:  topotrace ui\n")
    assert "2 runs" in run(installed, tmp_path, "topotrace", "compare", "sweep=wheel")
    assert "4 of 4 runs missed nothing" in run(installed, tmp_path, "topotrace", "sync")
    assert "Topology over steps" in show_ui(installed, tmp_path)


def test_what_is_wrong_ends_as_in_a_clone(installed: Path, tmp_path: Path) -> None:
    message = run(installed, tmp_path, "topotrace", "run", "model=tinny", status=2)
    assert message.startswith("model=tinny: unknown (did you mean tiny?)")
    assert "usage: topotrace run" in run(installed, tmp_path, "topotrace", "run", "--help")
    assert not list(tmp_path.iterdir())


def test_a_shell_completes_commands_groups_and_options(installed: Path, tmp_path: Path) -> None:
    script = run(installed, tmp_path, "topotrace", "-sc", "install=bash")
    assert script.rstrip().endswith("hydra_bash_completion topotrace")
    asked = 'eval "$(topotrace -sc install=bash)"; COMP_WORDS=({line}); COMP_CWORD={at}; COMP_LINE="{line}"; '
    asked += 'COMP_POINT=${{#COMP_LINE}}; hydra_bash_completion; echo "${{COMPREPLY[@]}}"'
    for line, expected in (
        ("topotrace co", "compare"),
        ("topotrace run tda=we", "tda=weak_alpha tda=weighted_rips"),
        ("topotrace ui ui.po", "ui.port="),
    ):
        words = asked.format(line=line, at=len(line.split()) - 1)
        done = subprocess.run(["bash", "-c", words], cwd=tmp_path, env=environment(installed), capture_output=True)
        assert done.stdout.decode().split() == expected.split(), done.stderr


def show_ui(installed: Path, cwd: Path) -> str:
    """What `topotrace ui` prints until its server is up; it is stopped again."""
    command = [str(installed / "topotrace"), "ui", "ui.open=false"]
    ui = subprocess.Popen(
        command, cwd=cwd, env=environment(installed) | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert ui.stdout is not None
    shown = []
    try:
        for line in ui.stdout:
            shown.append(line)
            if "Ctrl-C" in line:
                break
    finally:
        ui.terminate()
        ui.wait(timeout=60)
        ui.stdout.close()
    return "".join(shown)
