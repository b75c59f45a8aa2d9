"""Which one of several processes this is, where torchrun or srun started them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WORLD_SIZE_VARIABLES = {
    "WORLD_SIZE": "RANK",
    "SLURM_STEP_NUM_TASKS": "SLURM_PROCID",
    "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK",
    "SUBMITIT_LOCAL_NTASKS": "SUBMITIT_LOCAL_GLOBALID",
}
"""Where torchrun, srun, mpirun and submitit say of how many processes this is one, and which."""

TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
SRUN = ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_STEP_NODELIST", "SLURM_JOB_ID")


@dataclass(frozen=True)
class Placement:
    """The place of a process among those that train together; by default it is alone."""

    rank: int = 0
    world: int = 1
    """How many they are."""
    local_rank: int = 0
    """Its number on its machine."""
    machines: int = 1
    """How many machines they are on."""
    node: int = 0
    """The number of its machine."""
    launcher: str = ""
    """`torchrun` or `srun`, if one of them started all of them; else the first one starts the others."""

    @property
    def leads(self) -> bool:
        """Whether it is the one that checks, writes and measures."""
        return self.rank == 0


def find_placement(environment: Mapping[str, str]) -> Placement | None:
    """Of this process; None where it is one of several that nobody knows how to bring together."""
    torchrun, srun = ({key: environment.get(key, "") for key in keys} for keys in (TORCHRUN, SRUN))
    several = [key for key in WORLD_SIZE_VARIABLES if int(environment.get(key, 1)) > 1]
    if not several:
        return Placement()
    if "WORLD_SIZE" in several and all(torchrun.values()):
        return Placement(
            int(torchrun["RANK"]), int(torchrun["WORLD_SIZE"]), int(torchrun["LOCAL_RANK"]),
            int(environment.get("GROUP_WORLD_SIZE", 1)), int(environment.get("GROUP_RANK", 0)), "torchrun",
        )  # fmt: skip
    if several == ["SLURM_STEP_NUM_TASKS"] and all(srun.values()):
        return Placement(
            int(srun["SLURM_PROCID"]), int(srun["SLURM_STEP_NUM_TASKS"]), int(srun["SLURM_LOCALID"]),
            int(environment.get("SLURM_STEP_NUM_NODES", 1)), int(srun["SLURM_NODEID"]), "srun",
        )  # fmt: skip
    return None
