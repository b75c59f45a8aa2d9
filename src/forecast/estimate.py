"""What a run will take, put together: memory part by part, disk, seconds of a step and of a checkpoint, and in all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..clouds.floor import reference_rows
from ..clouds.layers import choose_layers
from ..config import Config, RequestError
from ..config.memory import count_workers
from ..config.schedule import evaluated_steps, plan_schedule
from ..system.machine import usable_cores
from ..training.behaviour import ROW_TOKENS
from .disk import FLOAT
from .process import process_bytes
from .shapes import ADAM, Pass, ShapedNetwork
from .speed import Speed
from .workload import Workload, assume_workload

WRITTEN = 2e8
"""Bytes a second that adapters and states are written at."""
END = 15.0
"""Seconds of tables, figures, note and store at the end of a run."""


@dataclass(frozen=True)
class Memory:
    """Bytes."""

    process: float
    """Of the process itself, where that shares the memory with the model: on a CPU."""
    weights: float
    adapter: float
    """Trained numbers beside the weights; 0 where the weights themselves are trained."""
    moments: float
    """Of the optimizer, and the gradients."""
    step: float
    """Activations of the largest pass of training."""
    capture: float
    """The largest pass of the probes."""
    evaluation: float
    """A row of held-out texts, and the base model's predictions."""

    @property
    def peak(self) -> float:
        standing = self.process + self.weights + self.adapter + self.moments
        beside = max(self.capture, self.evaluation)
        # An accelerator's allocator hands on what a pass leaves; that of a CPU finds little of it in one piece.
        return standing + (self.step + beside if self.process else max(self.step, beside))


def estimate_memory(config: Config, shaped: ShapedNetwork, work: Workload, kept: float = 1.0) -> Memory:
    """By the shapes of the network and the lengths of the texts.

    Args:
        kept: what an allocator keeps of the memory of a step, beside what its tensors hold.
    """
    adapter = 0 if config.adapter.kind == "full" else FLOAT * shaped.trained
    gradients = FLOAT * shaped.trained
    longest = sorted(work.probes)[-config.probe.batch_size :]
    evaluated = Pass((ROW_TOKENS,), (ROW_TOKENS // 3,))
    base = config.probe.size * shaped.vocabulary * FLOAT
    return Memory(
        process_bytes(torch.cuda.is_available()), shaped.weights - adapter, adapter, ADAM * shaped.trained + gradients,
        # The gradients stand among what the pass leaves.
        kept * shaped.count_step(work.largest).peak - gradients,
        0 if config.tda.transformer is None else shaped.count_capture(len(longest), longest[-1]).peak,
        shaped.count_forward(evaluated).peak + base,
    )  # fmt: skip


def peak_bytes(config: Config) -> float | None:
    """Of memory at its peak, by shapes and by dialogues that are assumed; None if the architecture cannot be had."""
    cell = (config.model, config.adapter, config.trainer, config.probe, config.objective, config.tda.transformer)
    return _peak_of(repr(cell), lambda: _peak_bytes(config))


_found: dict[str, float | None] = {}
# The cells of a sweep that differ in their seeds alone take the same.


def _peak_of(cell: str, compute: Callable[[], float | None]) -> float | None:
    if cell not in _found:
        _found[cell] = compute()
    return _found[cell]


def _peak_bytes(config: Config) -> float | None:
    try:
        return estimate_memory(config, ShapedNetwork(config), assume_workload(config, "assumed")).peak
    except RequestError:
        return None  # what is wrong with the model is reported when it is read


@dataclass(frozen=True)
class Seconds:
    start: float
    training: float
    capture: float
    behaviour: float
    saving: float
    topology: float
    """Of the workers, all together."""
    waiting: float
    """For them, when training is done."""
    end: float
    checkpoint: float
    """Of one checkpoint with its pairs, behaviour evaluated."""

    @property
    def total(self) -> float:
        return sum((self.start, self.training, self.capture, self.behaviour, self.saving, self.waiting, self.end))


def estimate_seconds(
    config: Config, shaped: ShapedNetwork, speed: Speed, topology: float, start: float
) -> Seconds:  # fmt: skip
    """
    Args:
        speed: of the passes.
        topology: seconds of a worker for one layer of a checkpoint.
        start: seconds until the first step.
    """
    schedule = plan_schedule(config.schedule, config.trainer.max_steps)
    measured = config.tda.transformer is not None
    checkpoints = len(schedule.checkpoints)
    evaluated = len({0, *evaluated_steps(schedule.checkpoints, config.objective.eval_every, config.trainer.max_steps)})
    reference = len(reference_rows(config.probe.size)) / config.probe.size
    captures = len(schedule.captured) + reference * len(schedule.floor_steps) if measured else evaluated
    save = FLOAT * shaped.trained * 4 / WRITTEN
    training, capture = config.trainer.max_steps * speed.step, captures * speed.capture
    behaviour, saving = evaluated * speed.evaluation, checkpoints * save
    worked = topology * len(choose_layers(shaped.blocks)) * checkpoints
    busy, workers, cores = training + capture + behaviour + saving, count_workers(config.tda), len(usable_cores())
    waiting = max(0.0, worked / workers - busy)
    if not torch.cuda.is_available() and torch.get_num_threads() + workers > cores:
        # Both want the same cores.
        waiting = max(waiting, (busy * torch.get_num_threads() + worked) / cores - busy)
    pairs = (config.schedule.repeats + 1) * speed.capture if measured else 0.0
    return Seconds(
        start, training, capture, behaviour, saving, worked, waiting, END, pairs + speed.evaluation + save,
    )  # fmt: skip
