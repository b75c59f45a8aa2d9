"""On how many devices a run is trained, and what of that does not go together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .setting import RequestError, setting

if TYPE_CHECKING:
    from .schema import Config, TrainerConfig

SINGLE, SHARDED = "single", "fsdp"

MAX_PROCESSES = 4096


@dataclass
class Devices:
    strategy: str = setting(SINGLE, identity="where changed", one_of=(SINGLE, "ddp", SHARDED))
    """`single`: one process on one device. `ddp`: a process on each device, each with the whole model and a share of
    the dialogues of every step. `fsdp`: the same, but the frozen weights of the blocks are divided over the devices."""
    devices: int | None = setting(None, identity="where changed", at_least=1, at_most=MAX_PROCESSES)
    """Processes on each machine, which a GPU each, or the cores together, compute; null: as many as there are GPUs, or
    as torchrun or srun started."""
    nodes: int = setting(1, identity="where changed", at_least=1, at_most=MAX_PROCESSES)
    """Machines; on more than one, torchrun or srun starts the processes."""


def device_conflicts(config: Config) -> Iterator[str]:
    """What is wrong with the devices that are asked for, whatever there are."""
    trainer = config.trainer
    if trainer.strategy == SINGLE:
        for key, count in (("devices", trainer.devices), ("nodes", trainer.nodes)):
            if count and count > 1:
                yield f"trainer.{key}={count}: trainer.strategy={SINGLE} is one process; add trainer=ddp, or drop it"
        return
    if trainer.stop != "none":
        yield (
            f"trainer.stop={trainer.stop}: is decided by one process; with trainer.strategy={trainer.strategy} leave "
            "it out"
        )
    if isinstance(trainer.micro_batch_size, str):
        yield (
            f"trainer.micro_batch_size={trainer.micro_batch_size}: is tried on one device; with "
            f"trainer.strategy={trainer.strategy} give a number"
        )
    elif trainer.devices is not None and min(trainer.devices, trainer.nodes, trainer.batch_size) > 0:
        yield from division_problems(trainer, trainer.devices * trainer.nodes)
    if trainer.strategy == SHARDED and config.adapter.kind == "full":
        yield (
            f"trainer.strategy={SHARDED}: divides what is frozen, and adapter=full trains every weight; use "
            "adapter=lora, or trainer=ddp"
        )


def division_problems(trainer: TrainerConfig, processes: int) -> Iterator[str]:
    """Why the dialogues of a step cannot be divided among so many processes evenly, if so."""
    if trainer.batch_size % processes:
        above = -(-trainer.batch_size // processes) * processes
        yield (
            f"trainer.batch_size={trainer.batch_size}: cannot be divided among {processes} processes; give "
            f"trainer.batch_size={above}, or another trainer.devices"
        )
    elif trainer.batch_size // processes % passed_at_once(trainer, processes):
        yield (
            f"trainer.micro_batch_size={trainer.micro_batch_size}: must divide the {trainer.batch_size // processes} "
            f"dialogues of a step (trainer.batch_size={trainer.batch_size}) that each of {processes} processes takes"
        )


def passed_at_once(trainer: TrainerConfig, processes: int) -> int:
    """Dialogues of a forward pass, where so many processes divide a step among them."""
    share = trainer.batch_size // processes
    return min(int(trainer.micro_batch_size or share), share)


def check_division(trainer: TrainerConfig, processes: int) -> None:
    """Raises RequestError if the dialogues of a step cannot be divided among so many processes evenly."""
    for problem in division_problems(trainer, processes):
        raise RequestError(problem)
