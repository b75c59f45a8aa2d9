"""The checkpoint callback: at scheduled optimizer steps, save the adapter, capture clouds, judge behaviour.

It knows neither workers nor MLflow; it is handed `submit(step)` and `log(values, step)`. The last state, which it saves
too, is all that a killed run needs to go on as if nothing had been.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from ..clouds.capture import Cloud
from ..config import Config
from ..config.schedule import Schedule, evaluated_steps
from ..data.batches import ORDER
from ..rundir import RunDirectory
from ..system.files import replacing, sync
from ..system.jsonl import size_of
from ..system.signals import Interrupted
from .behaviour import evaluate_replies
from .inputs import RunHooks, RunInputs
from .model import save_adapter
from .module import FineTuning
from .probe_capture import ProbeCapture
from .ranks import ALONE, Ranks
from .weight_null import WeightNull


class Checkpoints(Callback):
    def __init__(
        self, config: Config, inputs: RunInputs, schedule: Schedule, run: RunDirectory, hooks: RunHooks,
        ranks: Ranks = ALONE,
    ) -> None:  # fmt: skip
        self.run, self.schedule, self.hooks, self.ranks = run, schedule, hooks, ranks
        self.network, self.data = inputs.network, inputs.data
        self.is_measured = config.tda.transformer is not None
        self.capture = ProbeCapture(inputs.network, inputs.data.probes, config.probe, schedule, run, hooks.log, ranks)
        self.weight_null = WeightNull(
            config.tda, schedule, inputs.network, run, inputs.data.probes.hash,
            lambda: self.capture.read_clouds()[0], ranks,
        )  # fmt: skip
        self.evaluated = evaluated_steps(
            schedule.checkpoints, config.objective.eval_every, config.trainer.max_steps
        )  # fmt: skip
        self.last_step = -1
        self.capture_seconds = 0.0
        self.behavior_seconds = 0.0
        self.blocked_seconds = 0.0
        self.measuring = 0
        """The step last visited; the progress bar shows it."""

    def state_dict(self) -> dict[str, Any]:
        random = {"cpu": torch.get_rng_state()}
        if torch.cuda.is_available():
            random["cuda"] = torch.cuda.get_rng_state()
        return {
            "step": self.last_step, "order": ORDER, "world": self.ranks.world, "random": random,
            "capture_seconds": self.capture_seconds,
            "behavior_seconds": self.behavior_seconds, "blocked_seconds": self.blocked_seconds,
            "weight_null": self.weight_null.state_dict(), "spool_bytes": size_of(self.run.spool),
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.last_step = self.data.training.start = state_dict["step"]
        self.capture_seconds, self.blocked_seconds = state_dict["capture_seconds"], state_dict["blocked_seconds"]
        self.behavior_seconds = state_dict["behavior_seconds"]
        self.random = state_dict["random"]
        if "weight_null" in state_dict:  # a version before had none
            self.weight_null.load_state_dict(state_dict["weight_null"])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.hooks.signals.install()  # in the place of Lightning's handler, which leaves between two batches, unsaved
        if self.last_step < 0:
            self.process_step(0, trainer)
        else:
            self._stop_if_due(self.last_step, trainer)  # killed between the saved state and the decision
            torch.set_rng_state(self.random["cpu"])
            if "cuda" in self.random and torch.cuda.is_available():
                torch.cuda.set_rng_state(self.random["cuda"])

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        # Under gradient accumulation several batches end at one step.
        if trainer.global_step > self.last_step:
            self.process_step(trainer.global_step, trainer)
            signum = self.ranks.agree_on_signal(self.hooks.signals.pending)
            if signum is not None:
                self._save(trainer)
                raise Interrupted(signum)

    def _check_weights(self, step: int, trainer: Trainer) -> None:
        """Before they are saved: what was saved last stays the last good state."""
        module = _module_of(trainer)
        trained = ((n, p) for n, p in self.network.model.named_parameters() if p.requires_grad)
        module.watch.check_weights(step, trained, module.learning_rate)

    def _save(self, trainer: Trainer) -> None:
        _module_of(trainer).read_step()
        if not self.ranks.leads:
            trainer.save_checkpoint(self.run.last)  # which the leader alone writes
            return
        if self.run.spool.exists():
            sync(self.run.spool)  # the state says that these numbers are there
        with replacing(self.run.last) as partial:
            trainer.save_checkpoint(partial)

    def process_step(self, step: int, trainer: Trainer) -> None:
        """What the schedule asks for at this step; training goes on as if nothing had been."""
        self.last_step = step
        is_checkpoint, evaluate = step in self.schedule.checkpoints, step in self.evaluated
        captured = self.is_measured and step in self.schedule.captured
        if captured or is_checkpoint or step in self.schedule.completions:
            _module_of(trainer).read_step()  # a step that diverged leaves nothing behind
        if captured or evaluate or step == 0:
            last_states = self._capture(step) if captured else self.capture.read_last_states()
            with trainer.precision_plugin.forward_context():  # the arithmetic of training
                self._compare_to_base(last_states, step, evaluate=evaluate)
                if evaluate:
                    self._evaluate(step)
        if step and (is_checkpoint or step in self.schedule.completions):
            self._check_weights(step, trainer)
        if is_checkpoint and self.ranks.leads:
            save_adapter(self.network, self.run.adapter(step))
        if captured:
            start = time.perf_counter()
            self.weight_null.process_step(step)
            self.capture_seconds += time.perf_counter() - start
        # Before the jobs that become possible are handed out: none may have seen more than a restart goes on from.
        if step in self.schedule.completions or step == trainer.max_steps:
            self._save(trainer)
        if captured or is_checkpoint:
            self.measuring = step
            start = time.perf_counter()
            self.hooks.submit(step)
            self._stop_if_due(step, trainer)
            self.blocked_seconds += time.perf_counter() - start

    def _stop_if_due(self, step: int, trainer: Trainer) -> None:
        """Ends training if the topology says so; what is judged at the end then is judged here."""
        if not self.hooks.stops(step):
            return
        trainer.should_stop = True
        if step not in self.evaluated:
            with trainer.precision_plugin.forward_context():
                self._evaluate(step)

    def _capture(self, step: int) -> Cloud:
        start = time.perf_counter()
        last_states = self.capture.write_clouds(step)
        self.capture_seconds += time.perf_counter() - start
        return last_states

    def _compare_to_base(self, last_states: Cloud, step: int, *, evaluate: bool) -> None:
        start = time.perf_counter()
        self.capture.compare_to_base(last_states, step, evaluate=evaluate)
        self.behavior_seconds += time.perf_counter() - start

    def _evaluate(self, step: int) -> None:
        start = time.perf_counter()
        values = evaluate_replies(
            self.network.causal, self.data.held_out, self.data.training.layout, self.capture.settings.batch_size,
            self.ranks.compute_passes,
        )  # fmt: skip
        self.hooks.log({f"behavior/{name}": value for name, value in values.items()}, step)
        self.behavior_seconds += time.perf_counter() - start


def _module_of(trainer: Trainer) -> FineTuning:
    module = trainer.lightning_module
    assert isinstance(module, FineTuning)
    return module
