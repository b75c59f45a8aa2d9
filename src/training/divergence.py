"""A training that diverges is stopped: what follows would be numbers of something else."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

import torch

LARGE, LONG = 10, 10
"""A loss above so many times its first value, for so many steps in a row, has diverged."""

logger = logging.getLogger(__name__)


class DivergedError(RuntimeError):
    """Training has diverged: where, by what, and what to do."""


class DivergenceWatch:
    """Looks at each step's loss and gradient norm, and at the weights before they are saved."""

    def __init__(self, *, stop: bool) -> None:
        """`stop`: raise; else say it once and go on."""
        self.stop, self.warned = stop, False
        self.first_loss = math.nan
        self.large = 0
        """steps in a row that the loss has been large for"""

    def state_dict(self) -> dict[str, float]:
        return {"first_loss": self.first_loss, "large": self.large}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.first_loss, self.large = state["first_loss"], int(state["large"])

    def check_step(self, step: int, loss: float, grad_norm: float, learning_rate: float) -> None:
        """Raises DivergedError if this step shows that training has diverged."""
        if not math.isfinite(loss) or not math.isfinite(grad_norm):
            what = f"the loss is {loss:g} and the gradient norm {grad_norm:g}"
        else:
            self.first_loss = loss if math.isnan(self.first_loss) else self.first_loss
            self.large = self.large + 1 if loss > LARGE * self.first_loss else 0
            if self.large < LONG:
                return
            what = f"the loss is {loss:.3g}, above {LARGE} x its first value ({self.first_loss:.3g}) for {LONG} steps"
        self._report(step, what, learning_rate)

    def check_weights(self, step: int, trained: Iterable[tuple[str, torch.Tensor]], learning_rate: float) -> None:
        """Raises DivergedError if a trained weight is not finite."""
        for name, tensor in trained:
            if not torch.isfinite(tensor).all():
                self._report(step, f"the weight {name} is not finite", learning_rate)
                return

    def _report(self, step: int, what: str, learning_rate: float) -> None:
        message = (
            f"training diverged at optimizer step {step}: {what}, at a learning rate of {learning_rate:.2g}; lower "
            "trainer.learning_rate or trainer.clip, or raise trainer.warmup_steps (trainer.diverged=warn goes on)"
        )
        if self.stop:
            raise DivergedError(message)
        if not self.warned:
            self.warned = True
            logger.warning("%s", message)
