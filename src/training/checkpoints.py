"""The checkpoint callback: at scheduled optimizer steps, save the adapter, capture clouds, judge behaviour.

It knows neither workers nor MLflow; it is handed `submit(step)` and `log(values, step)`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from lightning import Callback, LightningModule, Trainer

from ..clouds.capture import capture_clouds, choose_layers, undisturbed
from ..clouds.store import write_clouds
from ..config import ProbeConfig
from ..data.objectives import RunData
from ..rundir import RunDirectory
from .model import Network, save_adapter
from .module import Log, held_out_loss
from .schedule import Schedule


class Checkpoints(Callback):
    def __init__(
        self, run: RunDirectory, network: Network, data: RunData, probe: ProbeConfig, schedule: Schedule, *,
        capture: bool, submit: Callable[[int], None], log: Log,
    ) -> None:  # fmt: skip
        """`submit(step)` is called after each captured step and checkpoint, when its files are on disk."""
        self.run, self.network, self.data, self.probe, self.schedule = run, network, data, probe, schedule
        self.capture, self.submit, self.log_values = capture, submit, log
        self.layers = choose_layers(len(network.blocks))
        self.visited = -1
        self.capture_seconds = 0.0
        self.blocked_seconds = 0.0
        self.measuring = 0
        """The step last visited; the progress bar shows it."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.visit(0, trainer)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        # Under gradient accumulation several batches end at one step.
        if trainer.global_step > self.visited:
            self.visit(trainer.global_step, trainer)

    def visit(self, step: int, trainer: Trainer) -> None:
        """What the schedule asks for at this step; training goes on as if nothing had been."""
        self.visited = step
        is_checkpoint = step in self.schedule.checkpoints
        captured = self.capture and step in self.schedule.captured
        if captured:
            with trainer.precision_plugin.forward_context() if self.probe.precision == "auto" else nullcontext():
                self._capture(step)
        if is_checkpoint or step == trainer.max_steps:
            with trainer.precision_plugin.forward_context():  # the arithmetic of training
                self._judge(step)
        if is_checkpoint:
            save_adapter(self.network, self.run.adapter(step))
        if captured or is_checkpoint:
            self.measuring = step
            start = time.perf_counter()
            self.submit(step)
            self.blocked_seconds += time.perf_counter() - start

    def _capture(self, step: int) -> None:
        start = time.perf_counter()
        self._write_clouds(self.run.clouds(step), step, self.probe.batch_size)
        if step == 0:
            # Other prompts per pass, so other padding and order of summation: what moves is rounding.
            self._write_clouds(self.run.floor_clouds(), step, max(1, self.probe.batch_size // 2 + 1))
        self.capture_seconds += time.perf_counter() - start

    def _write_clouds(self, path: Path, step: int, batch_size: int) -> None:
        clouds = capture_clouds(
            self.network.trunk, self.network.blocks, self.layers, self.data.probes.ids,
            pooling=self.probe.pooling, batch_size=batch_size,
        )  # fmt: skip
        write_clouds(path, clouds, step=step, probe_hash=self.data.probes.hash)

    def _judge(self, step: int) -> None:
        device = next(self.network.causal.parameters()).device
        with undisturbed(self.network.causal), torch.inference_mode():
            losses = {
                f"behavior/eval_loss_{source}": held_out_loss(self.network.causal, batches, device)
                for source, batches in self.data.held_out.items()
            }
        self.log_values(losses, step)
