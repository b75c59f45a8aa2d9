"""The fit itself: module, checkpoint callback, trainer, and what they cost."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import lightning
import torch
from lightning import Callback
from lightning.pytorch.callbacks import ProgressBar, RichProgressBar
from lightning.pytorch.plugins import TorchCheckpointIO
from lightning.pytorch.plugins.environments import LightningEnvironment

from ..config import Config, RequestError
from ..config.schedule import Schedule
from ..data.batches import ORDER
from ..rundir import RunDirectory
from ..system.files import DamagedError, check_zip, set_aside
from .check_packing import describe_rows
from .checkpoints import Checkpoints
from .inputs import RunHooks, RunInputs
from .model import computes_mixed
from .module import FineTuning

logger = logging.getLogger(__name__)


def fit(config: Config, inputs: RunInputs, schedule: Schedule, run: RunDirectory, hooks: RunHooks) -> dict[str, float]:
    """Fine-tune, from the last saved state if there is one.

    Returns:
        What it cost, by metric, all starts of the run together.

    Raises:
        Interrupted: after the state was saved, if a signal asked for it.
    """
    logger.info("%s", describe_rows(inputs.network))
    module = FineTuning(inputs.network, config.trainer, hooks.log)
    checkpoints = Checkpoints(config, inputs, schedule, run, hooks)
    bar = [Progress(checkpoints)] if config.trainer.progress else []
    trainer = make_trainer(config, [checkpoints, *bar], config.trainer.max_steps)
    state = run.last if run.last.exists() else None
    with hooks.signals.defer():
        # Batches come ready from memory, from the step on that the state was saved at: no loader around them.
        trainer.fit(module, inputs.data.training, ckpt_path=state, weights_only=True)
    costs = _costs(module, checkpoints)
    hooks.log(costs, config.trainer.max_steps)
    return costs


class DirectCheckpointIO(TorchCheckpointIO):
    """Writes a state where it is asked to: Lightning's own goes by memory and by /tmp, whose room nobody counts."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        torch.save(checkpoint, path)


def make_trainer(config: Config, callbacks: list[Callback], max_steps: int) -> lightning.Trainer:
    """A trainer that does what the settings say and nothing by itself: no logs, no checkpoints, no files.

    Args:
        max_steps: where it stops; the learning rate goes by the configuration's own.
    """
    settings = config.trainer
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    # On a machine that has SLURM: a run is one process on purpose, also inside of a job.
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    return lightning.Trainer(
        max_steps=max_steps,
        accumulate_grad_batches=settings.batch_size // int(settings.micro_batch_size or settings.batch_size),
        precision="bf16-mixed" if computes_mixed(config.adapter, settings) else "32-true",
        devices=1,
        # Inside a SLURM job the trainer would make the job its own.
        plugins=[LightningEnvironment(), DirectCheckpointIO()],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=any(isinstance(callback, ProgressBar) for callback in callbacks),
        callbacks=callbacks,
    )


def read_last_step(run: RunDirectory) -> int | None:
    """The step that an earlier start saved its state at; None if there is none. A damaged state is set aside.

    Raises:
        RequestError: if it cannot be gone on with, since the dialogues came in another order then.
    """
    if not run.last.exists():
        return None
    try:
        check_zip(run.last)
        state = _read_state(run)
        order = state["callbacks"][Checkpoints.__qualname__].get("order")
        step = int(state["global_step"])
    except (DamagedError, RuntimeError, UnpicklingError, KeyError, TypeError, OSError, EOFError) as error:
        set_aside(run.last, error.reason if isinstance(error, DamagedError) else "it is no state of a training")
        return None
    if order != ORDER:
        raise RequestError(
            f"{run.path}: an earlier version began this run, and trained on the dialogues in another order; force=true "
            "starts over there, moving the directory away keeps it"
        )
    return step


def read_spool_bytes(run: RunDirectory) -> int:
    """What the spool had when that state was saved; 0 without one, or if a version that did not note it saved it."""
    if not run.last.exists():
        return 0
    return int(_read_state(run)["callbacks"][Checkpoints.__qualname__].get("spool_bytes", 0))


def _read_state(run: RunDirectory) -> dict[str, Any]:
    # Mapped, not read: the weights are of no interest here.
    state: dict[str, Any] = torch.load(run.last, weights_only=True, mmap=True, map_location="cpu")
    return state


def _costs(module: FineTuning, checkpoints: Checkpoints) -> dict[str, float]:
    costs = {
        "train_seconds": module.train_seconds,
        "capture_seconds": checkpoints.capture_seconds,
        "behavior_seconds": checkpoints.behavior_seconds,
        "blocked_seconds": checkpoints.blocked_seconds,
        "tokens_per_second": module.tokens_per_second,
        "peak_memory_gb": _peak_memory() / 1e9,
    }
    return {f"cost/{name}": value for name, value in costs.items()}


def _peak_memory() -> float:
    """Bytes: of the accelerator where there is one, else of this process."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated())
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)  # Linux counts in kilobytes


class Progress(RichProgressBar):
    """The bar with loss, tokens per second and the checkpoint that is being measured."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        super().__init__()
        self.checkpoints = checkpoints

    def get_metrics(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> dict[str, Any]:
        assert isinstance(pl_module, FineTuning)
        return {
            "loss": pl_module.last_loss,
            "tok/s": f"{pl_module.tokens_per_second:.0f}",
            "measuring": str(self.checkpoints.measuring),
        }

    def _get_train_description(self, current_epoch: int) -> str:
        return "Fine-tuning"  # the run is one stream of steps; Lightning would say `Epoch 0/-2`
