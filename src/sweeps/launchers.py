"""What may run the cells of a sweep: `hydra/launcher=joblib`, `submitit_local`, `submitit_slurm`, with our defaults."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.experimental.callback import Callback
from hydra_plugins.hydra_joblib_launcher.config import JobLibLauncherConf
from hydra_plugins.hydra_submitit_launcher.config import LocalQueueConf, SlurmQueueConf
from omegaconf import II, DictConfig, OmegaConf

from .. import PACKAGE
from ..config import RequestError, TrainerConfig
from ..config.devices import SINGLE
from ..rundir import ROOT
from ..system.invocation import command_line
from ..system.placement import WORLD_SIZE_VARIABLES, Placement, find_placement
from ..system.secrets import without_login
from .devices import Machine, reserve_devices
from .parent import ParentProcess, parent_process
from .submitit_jobs import watch_jobs

JOBS = ROOT / ".submitit"
"""Where submitit keeps logs and results, a folder for each job."""


@dataclass
class Joblib(JobLibLauncherConf):
    """Several cells at once on this machine, each with a GPU, or a share of the cores, of its own."""

    n_jobs: int = II("cells_at_once:")
    """Cells at once: as many as there are GPUs; without any, one for every two cores, and two at least."""


@dataclass
class SubmititLocal(LocalQueueConf):
    """As joblib, but a cell is a job that outlives the command. `cpus_per_task` says what a cell takes without GPU."""

    submitit_folder: str = f"{JOBS}/%j"
    name: str = "topotrace"
    timeout_min: int = 30 * 24 * 60
    """Minutes; what waits its turn is counted too."""


@dataclass
class SubmititSlurm(SlurmQueueConf):
    """One SLURM array, a job a cell; what a cluster wants besides (partition, account, GPUs, memory) has no default."""

    submitit_folder: str = f"{JOBS}/%j"
    name: str = "topotrace"
    timeout_min: int = 24 * 60
    """Minutes that a job may take before it is requeued and goes on with its cell."""
    max_num_timeout: int = 20
    """How often that may be."""


class SupervisorCallback(Callback):
    """What the process that starts a sweep does while others run its cells."""

    def on_multirun_start(self, config: DictConfig, **kwargs: object) -> None:
        launcher = config.hydra.runtime.choices["hydra/launcher"]
        address = OmegaConf.select(config, "tracking.uri") or ""
        if launcher.startswith("submitit") and without_login(address) != address:
            print(
                f"tracking.uri={without_login(address)}: submitit keeps what is on the command line in files; give "
                "the address with its login as MLFLOW_TRACKING_URI",
                file=sys.stderr,
            )
            sys.exit(2)  # Hydra would take an exception of a callback for a warning
        _keep_no_record(Path(config.hydra.sweep.dir))
        if launcher == "joblib":
            parent_process().forward_signals()
        elif launcher.startswith("submitit"):
            watch_jobs(launcher, config.hydra.launcher.submitit_folder)


def _keep_no_record(folder: Path) -> None:
    """Let Hydra's copy of a sweep's configuration, which nothing reads, go nowhere: it holds logins as given."""
    record = folder / "multirun.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    record.symlink_to(os.devnull)


def register_launchers() -> None:
    """Put our defaults in the place of the plugins' own, and let Hydra find our callbacks."""
    Plugins.instance()  # the first call stores the plugins' own
    store = ConfigStore.instance()
    for name, node in (("joblib", Joblib), ("submitit_local", SubmititLocal), ("submitit_slurm", SubmititSlurm)):
        store.store(group="hydra/launcher", name=name, node=node, provider="topotrace")
    # The callbacks under conf/ are found under whatever name this package was imported as, and `--help` shows it.
    OmegaConf.register_new_resolver("package", lambda: PACKAGE, replace=True)
    OmegaConf.register_new_resolver("command", command_line, replace=True)


def chosen_launcher() -> str:
    """The option of `hydra/launcher`, inside a cell."""
    return str(HydraConfig.get().runtime.choices["hydra/launcher"])


def assign_devices(parent: ParentProcess) -> None:
    """Make the process of a cell ready: its share of the machine, unless SLURM gave it one.

    Raises:
        Interrupted: if no cell is to begin any more.
    """
    launcher = chosen_launcher()
    if launcher == "joblib":
        parent.detach()
    if launcher != "submitit_slurm":
        machine = Machine.detect(parent.visible)
        reserve_devices(machine, _parts(launcher, HydraConfig.get().launcher, machine), parent.folder)


def _parts(launcher: str, settings: DictConfig, machine: Machine) -> int:
    cores = len(machine.cores)
    if launcher == "joblib":  # which counts negative numbers down from all cores
        return int(settings.n_jobs) if settings.n_jobs > 0 else max(1, cores + 1 + settings.n_jobs)
    return (
        max(1, cores // settings.cpus_per_task)
        if settings.cpus_per_task and not machine.gpus
        else machine.default_parallelism
    )


def reject_distributed_launch(environment: Mapping[str, str]) -> None:
    """Several processes that were started together would each run every cell.

    Raises:
        RequestError: if this is one of several; only the first says why.
    """
    for key, rank in WORLD_SIZE_VARIABLES.items():
        if int(environment.get(key, 1)) > 1:
            raise RequestError(
                f"{key}={environment[key]}: this is one of {environment[key]} processes, each of which would run every "
                "cell; start it once, with -m hydra/launcher=submitit_slurm (or joblib): each cell then has its own "
                f"process and GPU; or train one run in all of them: {command_line('run')} trainer=ddp, without -m, "
                "started by torchrun or srun"
                if environment.get(rank, "0") == "0"
                else ""
            )


def place_process(trainer: TrainerConfig, environment: Mapping[str, str], *, in_sweep: bool) -> Placement:
    """Which one of the processes that train one run together this is.

    Raises:
        RequestError: if those that were started are not those that are asked for; only the first says why.
    """
    placement = find_placement(environment)
    if placement is None or (placement.launcher and (in_sweep or trainer.strategy == SINGLE)):
        reject_distributed_launch(environment)
    assert placement is not None
    problem = _misplaced(trainer, placement)
    if problem:
        raise RequestError(problem if placement.leads else "")
    return placement


def _misplaced(trainer: TrainerConfig, placement: Placement) -> str:
    """What does not fit the processes that were started; empty if all does."""
    if not placement.launcher:
        return "" if trainer.nodes == 1 else (
            f"trainer.nodes={trainer.nodes}: one process starts no others on other machines; start this command on "
            "each of them with torchrun, or all of its processes with srun"
        )  # fmt: skip
    started = f"{placement.launcher} started {placement.world} processes"
    if trainer.devices is not None and trainer.devices * trainer.nodes != placement.world:
        return (
            f"trainer.devices={trainer.devices}, trainer.nodes={trainer.nodes}: {started}; give as many, or leave "
            "trainer.devices out"
        )
    if placement.world % trainer.nodes:
        return f"trainer.nodes={trainer.nodes}: {started}, which are not as many on each of so many machines"
    if placement.machines > trainer.nodes:
        return f"trainer.nodes={trainer.nodes}: {started}, on {placement.machines} machines; give as many"
    return ""
