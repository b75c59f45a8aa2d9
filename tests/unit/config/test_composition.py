"""Files of others may set Hydra's own keys: nothing of theirs is run by Hydra either."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

import src.sweeps.launchers
from src.config.composition import composition_problems
from tests.support.builders import CONF, composed

HOSTILE = {
    "a callback": "hydra: {callbacks: {bad: {_target_: os.system, command: touch made}}}",
    "a known callback, changed": "hydra: {callbacks: {plan: {_target_: src.sweeps.outcome.show_outcome}}}",
    "inside a callback": "hydra: {callbacks: {plan: {x: {_target_: os.system, command: touch made}}}}",
    "a factory of handlers": "hydra: {job_logging: {handlers: {a: {(): os.system, command: touch made}}}}",
    "a handler that writes": "hydra: {hydra_logging: {handlers: {a: {class: logging.FileHandler, filename: made}}}}",
    "a handler that sends": "hydra: {job_logging: {handlers: {a: {class: logging.handlers.SMTPHandler}}}}",
    "a stream by its name": "hydra: {job_logging: {handlers: {a: {class: logging.StreamHandler, stream: 'ext://os'}}}}",
    "another launcher": "hydra: {launcher: {_target_: subprocess.run}}",
    "another sweeper": "hydra: {sweeper: {_target_: subprocess.run}}",
    "lines of a job's script": "hydra: {launcher: {setup: ['touch made']}}",
    "what sbatch is given": "hydra: {launcher: {additional_parameters: {wrap: 'touch made'}}}",
    "a partition of two lines": 'hydra: {launcher: {partition: "gpu\\ntouch made"}}',
    "a reference": "hydra: {launcher: {comment: '${oc.env:HOME}'}}",
    "a folder elsewhere": "hydra: {launcher: {submitit_folder: /tmp/made/%j}}",
    "a folder above": "hydra: {launcher: {submitit_folder: multirun/../../made/%j}}",
    "what every process loads": "hydra: {job: {env_set: {LD_PRELOAD: made.so}}}",
    "what it names itself": "tda: {allow: [os.system]}",
    "a job's name of two lines": 'hydra: {job: {name: "x\\ntouch made #"}}',
    "a stream by a reference": "hydra: {job_logging: {handlers: {a: {stream: '${sweep}'}}}}",
    "what a sweep tells Hydra": "hydra: {sweeper: {params: {hydra.job.env_set: '{A: made}'}}}",
    "a launcher that a sweep chooses": "hydra: {sweeper: {params: {hydra/launcher: mine}}}",
    "inside a sweeper": "hydra: {sweeper: {params: {a: {_target_: hydra._internal.core_plugins.basic_sweeper.Path}}}}",
    "words of a command line that was never typed": "hydra: {overrides: {task: ['tda.allow=[os.system]']}}",
    "what a sweep of it names": "hydra: {sweeper: {params: {tda.allow: '[os.system]'}}}",
}


def compose_with(text: str, folder: Path, *words: str) -> tuple[DictConfig, list[str]]:
    composed()  # stores the schema
    (folder / "experiment").mkdir()
    (folder / "experiment" / "theirs.yaml").write_text(f"# @package _global_\n{text}\n")
    given = [f"hydra.searchpath=[file://{folder}]", "experiment=theirs", *words]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", given, return_hydra_config=True), given


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_others_have_hydra_run_is_refused(tmp_path: Path, text: str) -> None:
    src.sweeps.launchers.register_launchers()
    launcher = ["hydra/launcher=submitit_slurm"] if "launcher: {" in text and "_target_" not in text else []
    assert list(composition_problems(*compose_with(text, tmp_path, *launcher)))


@pytest.mark.parametrize(
    "words",
    [["tda.allow=[mine.Method]"], ["hydra/launcher=submitit_slurm", "hydra.launcher.setup=['module load cuda']"],
     ["hydra/launcher=submitit_slurm", "+hydra.launcher.additional_parameters.mail-type=END"],
     ["hydra/launcher=submitit_slurm", "hydra.launcher.partition='gpu;x'"], ["hydra.run.dir=elsewhere"],
     ["hydra.output_subdir=/tmp/mine"], ["hydra.job.name='a;b'"],
     ["hydra.sweep.subdir='${hydra.job.override_dirname}'"]],
    ids=str,
)  # fmt: skip
def test_what_the_command_line_allows_is_not_refused(tmp_path: Path, words: list[str]) -> None:
    src.sweeps.launchers.register_launchers()
    assert not list(composition_problems(*compose_with("sweep: mine", tmp_path, *words)))


def test_a_file_may_say_what_a_job_needs(tmp_path: Path) -> None:
    src.sweeps.launchers.register_launchers()
    text = "hydra: {launcher: {partition: gpu-a100, mem_gb: 48, gpus_per_node: 1, gres: 'gpu:2', timeout_min: 720}}"
    assert not list(composition_problems(*compose_with(text, tmp_path, "hydra/launcher=submitit_slurm")))


def test_a_primary_configuration_may_name_folders_below(tmp_path: Path) -> None:
    composed_hydra, given = compose_with("sweep: mine", tmp_path)
    composed_hydra.hydra.output_subdir = ".hydra"
    composed_hydra.hydra.sweep.dir = "multirun/mine/${now:%Y-%m-%d}"
    composed_hydra.hydra.sweep.subdir = "${hydra.job.num}"
    assert not list(composition_problems(composed_hydra, given))


@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_local", "submitit_slurm"])
def test_the_launchers_are_not_refused(tmp_path: Path, launcher: str) -> None:
    src.sweeps.launchers.register_launchers()
    assert not list(composition_problems(*compose_with("sweep: mine", tmp_path, f"hydra/launcher={launcher}")))


ELSEWHERE = [
    ("run.dir", "/tmp/made"),
    ("run.dir", "${oc.env:HOME}"),
    ("sweep.dir", "../made"),
    ("sweep.dir", "."),  # where a sweep is noted
    ("sweep.dir", "multirun/a\ntouch made #"),  # a line of a job's script
    ("sweep.dir", "multirun/${now:a%ntouch made}"),
    ("sweep.dir", "multirun/${now:../../made}"),
    ("sweep.subdir", "/tmp/made"),
    ("sweep.subdir", "../../made"),
    ("output_subdir", "/tmp/made"),  # where Hydra writes what it composed
    ("output_subdir", "../.."),
    ("output_subdir", "${oc.env:HOME}"),
]


@pytest.mark.parametrize(("key", "folder"), ELSEWHERE)
def test_a_primary_configuration_of_others_writes_nowhere_else(tmp_path: Path, key: str, folder: str) -> None:
    composed_hydra, given = compose_with("sweep: mine", tmp_path)
    OmegaConf.update(composed_hydra.hydra, key, folder)
    [problem] = composition_problems(composed_hydra, given)
    assert problem.startswith(f"hydra.{key}: ")
    assert "\n" not in problem
