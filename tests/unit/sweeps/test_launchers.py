"""One process of several that were started at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from src.config import RequestError, TrainerConfig
from src.sweeps.launchers import SupervisorCallback, place_process, reject_distributed_launch
from src.system.placement import Placement


def test_a_process_alone_is_not_refused() -> None:
    reject_distributed_launch({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"})  # a batch script, which is one process
    reject_distributed_launch({"SLURM_STEP_NUM_TASKS": "1", "WORLD_SIZE": "1"})
    with pytest.raises(RequestError, match="SUBMITIT_LOCAL_NTASKS=2"):
        reject_distributed_launch({"SUBMITIT_LOCAL_NTASKS": "2", "SUBMITIT_LOCAL_GLOBALID": "0"})


TORCHRUN = {"LOCAL_RANK": "0", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1", "GROUP_WORLD_SIZE": "2"}


@pytest.mark.parametrize(
    ("settings", "in_sweep", "message"),
    [
        ({"strategy": "single"}, False, "WORLD_SIZE=4: this is one of 4 processes"),
        ({"strategy": "ddp", "nodes": 2}, True, "WORLD_SIZE=4: this is one of 4 processes"),
        (
            {"strategy": "ddp", "devices": 4, "nodes": 2},
            False,
            "trainer.devices=4, trainer.nodes=2: torchrun started 4",
        ),
        (
            {"strategy": "ddp", "nodes": 3},
            False,
            "trainer.nodes=3: torchrun started 4 processes, which are not as many",
        ),
        ({"strategy": "ddp"}, False, "trainer.nodes=1: torchrun started 4 processes, on 2 machines"),
    ],
)
def test_processes_that_are_not_those_asked_for_are_refused_once(
    settings: dict[str, object], in_sweep: bool, message: str
) -> None:
    for rank, expected in (("0", message), ("3", "")):
        with pytest.raises(RequestError) as caught:
            place_process(TrainerConfig(**settings), TORCHRUN | {"RANK": rank}, in_sweep=in_sweep)
        assert str(caught.value)[: len(message)] == expected


def test_processes_that_train_together_know_their_place() -> None:
    trainer = TrainerConfig(strategy="ddp", devices=2, nodes=2)
    assert place_process(trainer, TORCHRUN | {"RANK": "0"}, in_sweep=False).leads
    assert not place_process(trainer, TORCHRUN | {"RANK": "1"}, in_sweep=False).leads
    assert place_process(TrainerConfig(strategy="ddp", devices=2), {}, in_sweep=True) == Placement()
    with pytest.raises(RequestError, match=r"trainer\.nodes=2: one process starts no others on other machines"):
        place_process(trainer, {}, in_sweep=False)


@pytest.mark.parametrize("launcher", ["basic", "submitit_slurm"])
def test_a_login_on_the_command_line_is_in_no_record_of_a_sweep(
    tmp_path: Path, launcher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    choices = {"runtime": {"choices": {"hydra/launcher": launcher}}, "sweep": {"dir": str(tmp_path)}}
    config = OmegaConf.create({"hydra": choices, "tracking": {"uri": "http://alice:s3cretPW@host"}})
    if launcher == "basic":
        SupervisorCallback().on_multirun_start(config)
        OmegaConf.save(config, tmp_path / "multirun.yaml")  # as Hydra's sweeper does
        assert not (tmp_path / "multirun.yaml").is_file()
    else:
        with pytest.raises(SystemExit):
            SupervisorCallback().on_multirun_start(config)
        assert capsys.readouterr().err.startswith("tracking.uri=http://host: submitit keeps")
