"""A few steps of a run, taken to look at them and thrown away: the run itself begins as if they had not been."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from ..clouds.capture import Cloud
from ..clouds.layers import choose_layers
from ..config import Config
from ..system.signals import Interrupted, SignalHandler
from .fit import make_trainer
from .inputs import RunInputs
from .module import FineTuning
from .network import Network
from .probing import capture_probes, capture_reference

Inspect = Callable[[int, dict[str, Cloud], dict[str, Cloud]], bool]
"""Takes a step, its clouds by layer, and the reference clouds of some probes; returns whether that is enough."""


def run_trial(
    config: Config, inputs: RunInputs, steps: Sequence[int], inspect: Inspect, signals: SignalHandler
) -> None:  # fmt: skip
    """Train as the run will, up to the last of `steps`, and show the clouds at each of them.

    Raises:
        Interrupted: if a signal asked for it.
    """
    module = FineTuning(inputs.network, config.trainer, lambda values, step: None)
    trainer = make_trainer(
        config, inputs.network, [_TrialCaptures(config, inputs, steps, inspect, signals)], max(steps)
    )
    with _restored(inputs.network), signals.defer():
        trainer.fit(module, inputs.data.training)


class _TrialCaptures(Callback):
    def __init__(
        self, config: Config, inputs: RunInputs, steps: Sequence[int], inspect: Inspect, signals: SignalHandler
    ) -> None:
        self.network, self.probes, self.settings = inputs.network, inputs.data.probes, config.probe
        self.layers = choose_layers(len(inputs.network.blocks))
        self.waiting, self.inspect, self.signals = sorted(steps, reverse=True), inspect, signals

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.signals.install()
        self._capture(trainer)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        self._capture(trainer)
        if self.signals.pending is not None:
            raise Interrupted(self.signals.pending)

    def _capture(self, trainer: Trainer) -> None:
        if not self.waiting or trainer.global_step < self.waiting[-1]:
            return
        clouds, _ = capture_probes(self.network, self.layers, self.probes, self.settings)
        reference = capture_reference(self.network, self.layers, self.probes, self.settings)
        if self.inspect(self.waiting.pop(), clouds, reference):
            self.waiting.clear()
            trainer.should_stop = True


@contextmanager
def _restored(network: Network) -> Iterator[None]:
    """Afterwards trained weights and random numbers are what they were."""
    trained = {n: p.detach().cpu().clone() for n, p in network.model.named_parameters() if p.requires_grad}
    random, cuda = torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    try:
        yield
    finally:
        parameters: dict[str, Any] = dict(network.model.named_parameters())
        with torch.no_grad():
            for name, value in trained.items():
                parameters[name].copy_(value)
                parameters[name].grad = None
        torch.set_rng_state(random)
        if cuda is not None:
            torch.cuda.set_rng_state(cuda)
