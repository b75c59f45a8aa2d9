"""A wheel, built from the tree and installed into a folder of its own: there the package is called `topotrace`."""

from __future__ import annotations

import os
import subprocess
import sys
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


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed package and nothing else."""
    dist, folder = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)], cwd=ROOT, check=True)
    (wheel,) = dist.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([*pip, str(wheel)], check=True)
    return folder


def environment(installed: Path) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "HYDRA"))}
    return clean | {"PYTHONPATH": str(installed)}


def run(installed: Path, cwd: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=cwd, env=environment(installed), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_config_composes_and_every_method_can_be_made(installed: Path, tmp_path: Path) -> None:
    listed = run(installed, tmp_path, "-c", COMPOSE_ALL).splitlines()
    shipped = {(path.parent.name, path.stem) for path in (ROOT / "conf").glob("*/*.yaml")}
    assert {tuple(line.split()) for line in listed} == shipped


def test_the_commands_work_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    sweep = ["experiment=smoke", "objective=helpful,harmless", "tda=cech", "sweep=wheel", "trainer.max_steps=6"]
    sweep += ["schedule.early=2", "schedule.late=2", "probe.size=24"]
    assert "2 cells" in run(installed, tmp_path, "-m", "topotrace.run", "-m", *sweep)
    (source, *_) = sorted(path.parent for path in tmp_path.glob("multirun/*/helpful/cech/*/topology.parquet"))
    run(installed, tmp_path, "-m", "topotrace.analyze", f"run={source.relative_to(tmp_path)}", "tda=vietoris_rips")
    assert "2 runs" in run(installed, tmp_path, "-m", "topotrace.compare", "sweep=wheel")
    assert "4 of 4 runs missed nothing" in run(installed, tmp_path, "-m", "topotrace.sync")
    assert "Topology over steps" in show_ui(installed, tmp_path)


def show_ui(installed: Path, cwd: Path) -> str:
    """What `topotrace.ui` prints until its server is up; it is stopped again."""
    command = [sys.executable, "-u", "-m", "topotrace.ui", "ui.open=false"]
    ui = subprocess.Popen(
        command, cwd=cwd, env=environment(installed), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
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
