"""One process of several that were started at once."""

from __future__ import annotations

import pytest

from src.config import RequestError
from src.sweeps.launchers import reject_distributed_launch


def test_a_process_alone_is_not_refused() -> None:
    reject_distributed_launch({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"})  # a batch script, which is one process
    reject_distributed_launch({"SLURM_STEP_NUM_TASKS": "1", "WORLD_SIZE": "1"})
    with pytest.raises(RequestError, match="SUBMITIT_LOCAL_NTASKS=2"):
        reject_distributed_launch({"SUBMITIT_LOCAL_NTASKS": "2", "SUBMITIT_LOCAL_GLOBALID": "0"})
