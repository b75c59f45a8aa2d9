"""Which of several processes this is, by what torchrun and srun say of it."""

from __future__ import annotations

from src.system.placement import Placement, find_placement

TORCHRUN = {
    "RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1", "GROUP_RANK": "1",
    "GROUP_WORLD_SIZE": "2",
}  # fmt: skip
SRUN = {
    "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0",
    "SLURM_STEP_NODELIST": "n[1-2]", "SLURM_JOB_ID": "7", "SLURM_STEP_NUM_NODES": "2",
}  # fmt: skip


def test_torchrun_and_srun_say_which_process_this_is() -> None:
    assert find_placement(TORCHRUN) == Placement(3, 4, 1, machines=2, node=1, launcher="torchrun")
    assert find_placement(SRUN) == Placement(0, 4, 0, machines=2, node=0, launcher="srun")
    agents = {**SRUN, "SLURM_STEP_NUM_TASKS": "2"}
    assert find_placement({**agents, **TORCHRUN}) == find_placement(TORCHRUN), "torchrun that srun started"


def test_a_process_alone_is_the_leader_of_itself() -> None:
    batch_script = {"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}
    single = {**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1"}
    for environment in ({}, batch_script, single):
        found = find_placement(environment)
        assert found == Placement()
        assert found.leads


def test_processes_that_cannot_be_brought_together_are_none() -> None:
    assert find_placement({"OMPI_COMM_WORLD_SIZE": "2"}) is None
    assert find_placement({"SUBMITIT_LOCAL_NTASKS": "2"}) is None
    assert find_placement({"WORLD_SIZE": "2", "RANK": "0"}) is None, "nobody says where they meet"
