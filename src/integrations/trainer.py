"""The callback for the Trainer of transformers and all trainers of TRL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..config.track import UNTRAINED
from ..series.history import read_logged
from .observer import TopologyObserver


class TopologyCallback(TrainerCallback):
    """`Trainer(..., callbacks=[TopologyCallback(probes=prompts)])`; arguments as of `TopologyObserver`.

    A training that goes on from a checkpoint needs the name of its run: `TopologyCallback(run="mine", ...)`.
    """

    def __init__(
        self, probes: Sequence[str] | str | Path | None = None, *, tda: str = "vietoris_rips",
        steps: Sequence[int] | str | None = None, objective: str = UNTRAINED, model: str | None = None,
        run: str | None = None, config: Mapping[str, Any] | DictConfig | None = None,
        tokenizer: PreTrainedTokenizerBase | None = None,
    ) -> None:  # fmt: skip
        """`tokenizer`: by default what the trainer was given as `processing_class`."""
        self._settings: dict[str, Any] = {
            "probes": probes, "tda": tda, "steps": steps, "objective": objective, "model": model, "run": run,
            "config": config,
        }  # fmt: skip
        self._tokenizer = tokenizer
        self.observer: TopologyObserver | None = None
        """Of the training that goes on, or went on last."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:  # fmt: skip
        """Raises ValueError if the trainer has no steps, no tokenizer or a model that cannot be read."""
        tokenizer = self._tokenizer or given.get("processing_class")
        tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # a processor of a model that also sees
        if not isinstance(tokenizer, PreTrainedTokenizerBase):
            raise ValueError(
                "the trainer has no tokenizer; give it processing_class=..., or TopologyCallback tokenizer=..."
            )
        if state.max_steps < 1:
            raise ValueError(f"max_steps={state.max_steps}: the trainer takes no step, so nothing moves; give it some")
        if self.observer is not None:  # of a cell of a notebook that was interrupted: the Trainer tells nobody of that
            self.observer.close(KeyboardInterrupt("another training began"))
        self.observer = TopologyObserver(tokenizer, state.max_steps, **self._settings)
        self.observer.observe(given["model"], state.global_step)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:  # fmt: skip
        if self.observer is not None:
            self.observer.observe(given["model"], state.global_step)
            control.should_training_stop |= self.observer.should_stop

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        logs: Mapping[str, Any] | None = None, **given: Any,
    ) -> None:  # fmt: skip
        if self.observer is not None:
            self.observer.log(read_logged(logs or {}), state.global_step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:  # fmt: skip
        if self.observer is not None:
            self.observer.finish()
