"""The callback for anyone's LightningModule around a model of transformers or PEFT."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from omegaconf import DictConfig
from peft import PeftModel
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..config.track import UNTRAINED
from .observer import TopologyObserver


class TopologyLightningCallback(Callback):
    """`Trainer(callbacks=[TopologyLightningCallback(tokenizer, probes=prompts)])`; see `TopologyObserver`."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, probes: Sequence[str] | str | Path | None = None, *,
        tda: str = "vietoris_rips", steps: Sequence[int] | str | None = None, objective: str = UNTRAINED,
        model: str | None = None, run: str | None = None, config: Mapping[str, Any] | DictConfig | None = None,
    ) -> None:  # fmt: skip
        self._settings: dict[str, Any] = {
            "probes": probes, "tda": tda, "steps": steps, "objective": objective, "model": model, "run": run,
            "config": config,
        }  # fmt: skip
        self._tokenizer = tokenizer
        self._seen = -1
        self.observer: TopologyObserver | None = None
        """Of the training that goes on, or went on last."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raises ValueError if the trainer has no steps, or the module holds no model that can be read."""
        steps = trainer.estimated_stepping_batches
        if not math.isfinite(steps) or steps < 1:
            raise ValueError(
                f"max_steps={trainer.max_steps}: how many steps the trainer takes is not known; give it max_steps, "
                "checkpoints are planned over all of them"
            )
        if self.observer is not None:
            self.observer.close(KeyboardInterrupt("another training began"))
        self.observer = TopologyObserver(self._tokenizer, int(steps), **self._settings)
        self._observe(trainer, pl_module)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        if trainer.global_step > self._seen:  # several batches end at one step where gradients are accumulated
            self._observe(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.observer is not None:
            self.observer.finish()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self.observer is not None:
            self.observer.close(exception)

    def _observe(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert self.observer is not None
        self._seen = trainer.global_step
        self.observer.observe(find_model(pl_module), self._seen)
        trainer.should_stop |= self.observer.should_stop


def find_model(module: nn.Module) -> nn.Module:
    """The first model of transformers or PEFT inside of a module.

    Raises:
        ValueError: if there is none.
    """
    for part in module.modules():
        if isinstance(part, (PeftModel, PreTrainedModel)):
            return part
    raise ValueError(f"{type(module).__name__} holds no model of transformers or PEFT")
