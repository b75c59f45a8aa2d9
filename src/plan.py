"""`python -m src.plan`: what `python -m src.run` with the same words would take. Nothing is downloaded or written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from .cli import launch
from .config import Config
from .config.resolve import resolve_config
from .config.schedule import plan_schedule
from .system.console import show_rows
from .system.machine import describe_bytes

if TYPE_CHECKING:
    from .forecast.shapes import ShapedNetwork

BEGUN = time.perf_counter()


def plan(composed: DictConfig) -> None:
    """Compose, validate, read what is here, try the device for some seconds, and show one table."""
    config = resolve_config(composed)
    for title, rows in plan_tables(config):
        show_rows([title, "", ""], rows)


def plan_tables(config: Config) -> Iterator[tuple[str, list[list[str]]]]:
    """The title and the rows of what is shown.

    Raises:
        RequestError: as a run would, of what is here.
    """
    # Late: composing and checking a request must not wait for torch.
    from .forecast.disk import disk_bytes
    from .forecast.estimate import estimate_memory, estimate_seconds
    from .forecast.shapes import ShapedNetwork
    from .forecast.speed import DEVICES, table_speed, try_speed, try_topology
    from .forecast.workload import read_workload
    from .pipeline.start import open_session  # noqa: F401 (so that this process is as large as that of a run)
    from .tracking.store import open_store  # noqa: F401
    from .training.architecture import training_device
    from .training.device import device_memory

    work = read_workload(config)
    start = time.perf_counter() - BEGUN
    shaped = ShapedNetwork(config)
    here = training_device()
    base = estimate_memory(config, shaped, work)
    speed, topology = try_speed(config, shaped, work), try_topology(config, shaped.width)
    memory = replace(base, step=estimate_memory(config, shaped, work, speed.kept).step)
    seconds = estimate_seconds(config, shaped, speed, topology, start)
    checkpoints = len(plan_schedule(config.schedule, config.trainer.max_steps).checkpoints)
    name, free = device_memory(here)
    yield f"{config.model.name}, {config.objective.name}, {config.adapter.kind}", [
        ["texts", f"{work.tokens:,.0f} tokens a step", work.origin],
        ["memory", describe_bytes(memory.peak), f"{'fits' if memory.peak < free else 'DOES NOT FIT'}: "
         f"{describe_bytes(free)} are free on {name}"],
        *([["  instead", "", _fitting(config, shaped, free, speed.kept)]] if memory.peak >= free else []),
        *([["  process", describe_bytes(memory.process), "Python and its libraries"]] if memory.process else []),
        ["  weights", describe_bytes(memory.weights), ""],
        ["  adapter", describe_bytes(memory.adapter), f"{shaped.trained:,} numbers are trained"],
        ["  optimizer", describe_bytes(memory.moments), "two moments and gradients"],
        ["  activations", describe_bytes(memory.step), f"of the longest pass, {work.largest.tokens:,} tokens; or"],
        ["  capture", describe_bytes(memory.capture), "of the longest probes; or"],
        ["  behaviour", describe_bytes(memory.evaluation), "of held-out texts, whichever is most"],
        ["disk", describe_bytes(disk_bytes(config, shaped.trained) or 0.0), "run directory and store"],
        ["a step", _time(seconds.training / config.trainer.max_steps), f"{speed.origin}, on {name}"],
        ["a checkpoint", _time(seconds.checkpoint), "its pairs captured, behaviour evaluated"],
        ["in all", _time(seconds.total), f"{config.trainer.max_steps} steps, {checkpoints} checkpoints"],
        ["  start", _time(seconds.start), "as long as it took now"],
        ["  training", _time(seconds.training), ""],
        ["  capture", _time(seconds.capture), ""],
        ["  behaviour", _time(seconds.behaviour), ""],
        ["  saving", _time(seconds.saving), ""],
        ["  topology", _time(seconds.waiting), f"waited for; workers compute {_time(seconds.topology)} meanwhile"],
        ["  end", _time(seconds.end), "tables, figures, store"],
    ]  # fmt: skip
    for device, rates in DEVICES.items():
        there = estimate_seconds(config, shaped, table_speed(rates, shaped, work), topology, start)
        yield (
            f"by the table, on one {device}",
            [
                [
                    "a step",
                    _time(there.training / config.trainer.max_steps),
                    "in bfloat16, of a model that is large enough",
                ],
                ["a checkpoint", _time(there.checkpoint), ""],
                ["in all", _time(there.total), "topology as fast as here"],
            ],
        )


def _fitting(config: Config, shaped: ShapedNetwork, free: float, kept: float) -> str:
    """Settings by which the run would fit: fewer dialogues a pass if that is enough, else what takes less."""
    from .forecast.estimate import estimate_memory
    from .forecast.workload import read_workload
    from .pipeline.micro_batch import halved, remedies, with_micro_batch

    for micro in halved(config.trainer.batch_size):
        settings = with_micro_batch(config, micro)
        if estimate_memory(settings, shaped, read_workload(settings), kept).peak < free:
            return f"trainer.micro_batch_size={micro} fits"
    return f"fewer dialogues a pass are not enough: {remedies(config)}"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    launch(plan, "config", Config)
