"""The LightningModule: loss on the unmasked tokens, AdamW, learning-rate schedule, clipping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_scheduler

from ..config import TrainerConfig
from ..data.batches import Batch
from .divergence import DivergenceWatch
from .loss import summed_loss
from .network import Network
from .ranks import ALONE, Ranks

Log = Callable[[dict[str, float], int], None]
"""Takes values by metric key and the optimizer step that they belong to."""


class FineTuning(LightningModule):
    """What is logged at step s belongs to the model after s updates: its loss on batch s, the rate it then moves by."""

    def __init__(self, network: Network, trainer: TrainerConfig, log: Log, ranks: Ranks = ALONE) -> None:
        super().__init__()
        self.model = network.model
        self.causal = network.causal
        self.settings = trainer
        self.strict_loading = False  # a saved state has no frozen weights
        self.log_values, self.ranks = log, ranks
        self.step_loss = torch.zeros(())
        self.unread: tuple[int, Tensor, Tensor, float] | None = None
        """Of the last step, while it is not known yet: number, loss, gradient norm, learning rate."""
        self.last_loss = math.nan
        """Of the last step that was read."""
        self.tokens = 0
        self.train_seconds = 0.0
        self.watch = DivergenceWatch(stop=trainer.diverged == "stop")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Of the weights only those that are trained; the others come from where the model comes from."""
        trained = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        checkpoint["state_dict"] = {k: v for k, v in checkpoint["state_dict"].items() if k in trained}
        checkpoint["watch"] = self.watch.state_dict()
        checkpoint["spent"] = {"tokens": self.tokens, "train_seconds": self.train_seconds}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.tokens, self.train_seconds = checkpoint["spent"]["tokens"], checkpoint["spent"]["train_seconds"]
        if "watch" in checkpoint:  # a version before had none
            self.watch.load_state_dict(checkpoint["watch"])

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        if batch_idx % self.trainer.accumulate_grad_batches == 0:
            self.step_started = time.perf_counter()
            self.step_loss = torch.zeros((), device=self.device)
            self.ranks.seed_step(self.trainer.global_step)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = summed_loss(self.causal, batch) * batch["weight"]
        # Read where the step ends, so that an accelerator need not wait for each micro-batch.
        self.step_loss = self.step_loss + loss.detach() / self.trainer.accumulate_grad_batches
        self.tokens += batch["tokens"]
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.learning_rate = float(optimizer.param_groups[0]["lr"])

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip and keep the norm from before, which the trainer's own clipping does not give."""
        trained = [p for p in self.parameters() if p.requires_grad]
        self.grad_norm = torch.nn.utils.clip_grad_norm_(trained, self.settings.clip)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        self.train_seconds += time.perf_counter() - self.step_started
        self.read_step()
        loss = self.ranks.mean(self.step_loss)
        self.unread = self.trainer.global_step, loss, self.grad_norm, self.learning_rate

    def read_step(self) -> None:
        """Log the step that is not read yet, and see whether it diverged.

        Reading waits for an accelerator: it is done when the next step is on its way, and before anything is saved.
        """
        if self.unread is None:
            return
        start = time.perf_counter()
        step, loss, norm, rate = self.unread
        self.unread, self.last_loss = None, float(loss)
        self.train_seconds += time.perf_counter() - start
        values = {"train_loss": self.last_loss, "learning_rate": rate, "grad_norm": float(norm)}
        self.log_values({f"behavior/{name}": value for name, value in values.items()}, step)
        self.watch.check_step(step, self.last_loss, values["grad_norm"], rate)

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.train_seconds if self.train_seconds else 0.0

    def configure_optimizers(self) -> Any:
        settings = self.settings
        trained = [p for p in self.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            trained, lr=settings.learning_rate or 0.0, weight_decay=settings.weight_decay,
            fused=all(p.is_cuda for p in trained),
        )  # fmt: skip
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": _scheduler(optimizer, settings), "interval": "step"},
        }


def _scheduler(optimizer: torch.optim.Optimizer, settings: TrainerConfig) -> LambdaLR:
    """transformers' curve, read one step ahead: warm-up counts from 1, so no step has learning rate 0."""
    name = {"constant": "constant_with_warmup"}.get(settings.lr_schedule, settings.lr_schedule)
    throwaway = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    curve = get_scheduler(name, throwaway, settings.warmup_steps, settings.max_steps + 1)
    return LambdaLR(optimizer, lambda step: curve.lr_lambdas[0](step + 1))
