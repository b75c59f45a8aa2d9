"""One process of several that were started at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from src.config import RequestError
from src.sweeps.launchers import SupervisorCallback, reject_distributed_launch


def test_a_process_alone_is_not_refused() -> None:
    reject_distributed_launch({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"})  # a batch script, which is one process
    reject_distributed_launch({"SLURM_STEP_NUM_TASKS": "1", "WORLD_SIZE": "1"})
    with pytest.raises(RequestError, match="SUBMITIT_LOCAL_NTASKS=2"):
        reject_distributed_launch({"SUBMITIT_LOCAL_NTASKS": "2", "SUBMITIT_LOCAL_GLOBALID": "0"})


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
